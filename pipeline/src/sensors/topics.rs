//! The channels on which readings and results travel.

use mainstay::contracts::sensors::{Reading, Squared};
use mainstay_messaging::Rules;

use crate::channel::Channel;

/// What a killed worker had begun is another one's two seconds later.
const RULES: Rules = Rules { visibility_ms: 2_000, tries: 10, backoff_ms: 100, kept: true };

/// What workers share.
pub(super) const TO_SQUARE: Channel<Reading> = Channel::new("workers", RULES);
/// What the app gets. It is there once an app has asked for it.
pub(super) const SQUARED: Channel<Squared> = Channel::new("app", RULES);
