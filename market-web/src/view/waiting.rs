//! What the hub holds of the topics that a page is about.

use askama::Template;
use mainstay::contracts::hub::{ChannelView, TopicView, dead_letters};

use super::words::{count, sentence};
use crate::state::State;
use crate::tab::Tab;

/// The part of a page that shows it.
#[derive(Template)]
#[template(path = "waiting.html")]
pub(super) struct Waiting<'a> {
    topics: Vec<Topic<'a>>,
    lost: Option<&'a str>,
}

/// A topic, over all of its channels.
struct Topic<'a> {
    name: &'a str,
    channels: usize,
    waiting: u64,
    in_flight: u64,
    /// Deliveries that were not the first of their message.
    again: u64,
    /// What could not be consumed.
    dead: u64,
}

impl<'a> Waiting<'a> {
    pub(super) fn of(state: &'a State, tab: Tab) -> Self {
        let seen = state.books.topics.as_deref();
        let all: &[TopicView] = seen.and_then(|seen| seen.entries.as_deref()).map_or(&[], Vec::as_slice);
        let find = |name: &&str| all.iter().find(|topic| topic.topic == **name);
        let topics = tab.topics.iter().filter_map(find).map(Topic::of).collect();
        Self { topics, lost: seen.and_then(|seen| seen.lost.as_deref()) }
    }

    fn lost(&self) -> Option<String> {
        self.lost.map(sentence)
    }
}

impl<'a> Topic<'a> {
    fn of(topic: &'a TopicView) -> Self {
        let prefix = dead_letters("");
        let is_live = |channel: &&ChannelView| !channel.channel.starts_with(&prefix);
        let live: Vec<&ChannelView> = topic.channels.iter().filter(is_live).collect();
        let sum = |of: fn(&ChannelView) -> u64| live.iter().map(|channel| of(channel)).sum::<u64>();
        let in_flight = sum(|channel| channel.in_flight);
        Self {
            name: &topic.topic,
            channels: live.len(),
            waiting: sum(|channel| channel.waiting).saturating_sub(in_flight),
            in_flight,
            again: sum(|channel| channel.redelivered),
            dead: sum(|channel| channel.dead),
        }
    }

    fn channels(&self) -> String {
        count(self.channels, "channel")
    }
}
