//! How topics and channels are called in NATS.

use crate::engine::Place;

/// Where a kept channel's messages are: a durable consumer of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) stream: String,
    pub(super) consumer: String,
    /// It holds what another channel could not consume.
    pub(super) dead: bool,
}

impl Queue {
    pub(super) fn of(place: &Place) -> Self {
        match place.channel.strip_prefix("dead-") {
            Some(channel) => Self { stream: graveyard(&place.topic), consumer: channel.to_owned(), dead: true },
            None => Self { stream: stream(&place.topic), consumer: place.channel.clone(), dead: false },
        }
    }

    /// Where a message for this channel alone goes.
    pub(super) fn subject(&self, place: &Place) -> String {
        match self.dead {
            true => to_dead(&place.topic, &self.consumer),
            false => format!("mainstay.topic.{}.to.{}", place.topic, place.channel),
        }
    }
}

/// The stream of a topic.
pub(super) fn stream(topic: &str) -> String {
    format!("mainstay-topic-{topic}")
}

/// The stream of the dead letters of all channels of a topic.
pub(super) fn graveyard(topic: &str) -> String {
    format!("mainstay-dead-{topic}")
}

/// What the topic's stream takes.
pub(super) fn everything(topic: &str) -> String {
    format!("mainstay.topic.{topic}.>")
}

/// Where a message for every channel goes.
pub(super) fn to_all(topic: &str) -> String {
    format!("mainstay.topic.{topic}.all")
}

/// Where a message for one channel goes that is not kept: no stream takes it.
pub(super) fn to_live(place: &Place) -> String {
    format!("mainstay.live.{}.{}", place.topic, place.channel)
}

/// Where a channel's dead letters go, or, for `*`, those of every channel.
pub(super) fn to_dead(topic: &str, channel: &str) -> String {
    format!("mainstay.dead.{topic}.{channel}")
}

/// The one channel that a message on this subject is for.
pub(super) fn only_to(subject: &str) -> Option<&str> {
    let mut parts = subject.splitn(5, '.').skip(1);
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
        ("topic", _, "to", channel) => channel,
        ("live", _, channel, None) => Some(channel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_is_read_from_the_subject() {
        let place = Place { topic: "to".to_owned(), channel: "all".to_owned() };
        assert_eq!(only_to(&to_all("to")), None);
        assert_eq!(only_to(&Queue::of(&place).subject(&place)), Some("all"));
        assert_eq!(only_to(&to_live(&place)), Some("all"));
        assert_eq!(only_to(&to_dead("to", "all")), None);
        assert_eq!(only_to("somebody.else"), None);
    }

    #[test]
    fn dead_letters_are_in_a_stream_of_their_own() {
        let queue = |channel: &str| Queue::of(&Place { topic: "task".to_owned(), channel: channel.to_owned() });
        let (living, dead) = (queue("workers"), queue("dead-workers"));
        assert_eq!((living.stream.as_str(), living.consumer.as_str()), ("mainstay-topic-task", "workers"));
        assert_eq!((dead.stream.as_str(), dead.consumer.as_str()), ("mainstay-dead-task", "workers"));
        assert_ne!(stream("dead-task"), graveyard("task"));
    }
}
