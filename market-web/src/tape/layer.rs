//! The tape as a layer over `tracing`.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{Kind, Tape};

/// Longer lines are cut: a line's length is somebody else's choice, the tape's size is ours.
const LONGEST: usize = 500;

impl<S: Subscriber> Layer<S> for Tape {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let text = message(event);
        if let Some(kind) = Kind::of(&text) {
            self.add(kind, text);
        }
    }
}

/// The text of an event, without its fields.
pub(crate) fn message(event: &Event<'_>) -> String {
    let mut message = Message(String::new());
    event.record(&mut message);
    message.0
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String does not fail.
            let _ = write!(self.0, "{value:?}");
            if let Some((end, _)) = self.0.char_indices().nth(LONGEST) {
                self.0.truncate(end);
            }
        }
    }
}
