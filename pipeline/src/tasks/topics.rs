//! The channels on which tasks travel, and how long they may.

use std::time::Duration;

use mainstay::contracts::tasks::{Task, TaskAsked, TaskDone};
use mainstay_messaging::Rules;

use crate::channel::Channel;

/// How long a task may take, from when its frontend has read it.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What a killed backend had begun is another one's well within [`PATIENCE`].
const RULES: Rules = Rules { visibility_ms: 2_000, tries: 10, backoff_ms: 100, kept: true };

pub(super) const ASKED: Channel<TaskAsked> = Channel::new("events", RULES);
pub(super) const TO_DO: Channel<Task> = Channel::new("backends", RULES);
pub(super) const DONE: Channel<TaskDone> = Channel::new("events", RULES);
