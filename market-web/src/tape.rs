//! The event tape: the console's last lines, kept for the page.
//!
//! The console's lines are `tracing` events. The SDK writes its own, the Market writes the rest with the
//! target `market`, and [`Tape`] is a layer over both: page and console cannot tell different stories.

mod layer;
mod line;

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

pub(crate) use layer::message;
pub(crate) use line::{Kind, Line, is_told};

/// The target of the lines that the Market itself writes.
pub(crate) const TARGET: &str = "market";

/// What others wrote, as a part of one line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// How many lines are kept.
const LENGTH: usize = 200;

/// The console's last lines, and a bell that rings for each new one. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Tape(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lines: Mutex<VecDeque<Arc<Line>>>,
    count: watch::Sender<u64>,
}

impl Tape {
    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> Vec<Arc<Line>> {
        self.0.lines.lock().iter().cloned().collect()
    }

    /// Changes with every line.
    pub(crate) fn bell(&self) -> watch::Receiver<u64> {
        self.0.count.subscribe()
    }

    fn add(&self, kind: Kind, text: String) {
        let mut lines = self.0.lines.lock();
        if lines.len() == LENGTH {
            // A page is a dozen lines of traffic. They leave first, so that the OPEN of half a minute ago is
            // still there when its RETEST comes.
            let oldest = lines.iter().position(|line| line.kind.is_traffic()).unwrap_or_default();
            lines.remove(oldest);
        }
        self.0.count.send_modify(|count| {
            *count += 1;
            lines.push_back(Arc::new(Line::new(*count, kind, text)));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_leaves_before_what_changed() {
        let tape = Tape::default();
        tape.add(Kind::Open, "OPEN breaker".to_owned());
        for _ in 0..2 * LENGTH {
            tape.add(Kind::Ask, "ASK for camera".to_owned());
        }
        let lines = tape.lines();
        assert_eq!((lines.len(), lines[0].kind), (LENGTH, Kind::Open));
    }

    #[test]
    fn the_tape_is_bounded_whatever_comes() {
        let tape = Tape::default();
        for n in 0..2 * LENGTH {
            tape.add(Kind::Open, n.to_string());
        }
        assert_eq!((tape.lines().len(), tape.lines()[0].text.as_str()), (LENGTH, "200"));
    }
}
