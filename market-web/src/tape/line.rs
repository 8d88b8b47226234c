//! One line of the tape.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use crate::kind as instances;

/// A console line, and when it was written.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// Milliseconds since the Unix epoch.
    #[serde(serialize_with = "unix_ms")]
    pub(crate) at: SystemTime,
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// Grows by one with every line: tells the page which lines it has.
    #[serde(skip)]
    pub(crate) number: u64,
}

impl Line {
    pub(super) fn new(number: u64, kind: Kind, text: String) -> Self {
        Self { at: SystemTime::now(), kind, text, number }
    }

    /// The text without the word that is its kind.
    pub(crate) fn rest(&self) -> &str {
        self.text.strip_prefix(self.kind.word()).unwrap_or(&self.text).trim_start()
    }
}

fn unix_ms<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_u64(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

macro_rules! kinds {
    ($($kind:ident $word:literal,)*) => {
        /// What a line tells: its first word, or `USING` for the line that says which instance is used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "UPPERCASE")]
        pub(crate) enum Kind { $($kind,)* }

        impl Kind {
            /// The word.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            fn of_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    Ask "ASK",
    Using "USING",
    Waited "WAITED",
    Got "GOT",
    Bad "BAD",
    Task "TASK",
    Rfq "RFQ",
    Open "OPEN",
    Retest "RETEST",
    Close "CLOSE",
    Up "UP",
    Silent "SILENT",
    Gone "GONE",
    Registry "REGISTRY",
    Lab "LAB",
}

impl Kind {
    /// The kind of a console line; `None` for a line that is not part of the story.
    pub(super) fn of(text: &str) -> Option<Self> {
        let first = text.split(' ').next().unwrap_or_default();
        let using = text.split_once(' ').is_some_and(|(_, rest)| rest.starts_with("using instance "));
        if using { Some(Self::Using) } else { Self::of_word(first) }
    }

    /// Whether every page, or every message, writes such lines.
    pub(crate) fn is_traffic(self) -> bool {
        matches!(self, Self::Ask | Self::Using | Self::Waited | Self::Got | Self::Task | Self::Rfq)
    }
}

/// Whether a line is told at all. Which instance is read for a page, and that each of its clients has lost the
/// registry, would be lines that nobody reads; the first of each, for ratings and bidders, are part of the story.
pub(crate) fn is_told(text: &str) -> bool {
    let untold = |word: &str| instances::Kind::named(word).is_some_and(|kind| !kind.told);
    match Kind::of(text) {
        Some(Kind::Using) => !text.split(' ').next().is_some_and(untold),
        Some(Kind::Registry) => !text.split(' ').any(untold),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_the_kind() {
        for (text, kind, rest) in [
            ("ASK for camera", Kind::Ask, "for camera"),
            (
                "ratings using instance 1: http://127.0.0.1:8001",
                Kind::Using,
                "ratings using instance 1: http://127.0.0.1:8001",
            ),
            ("WAITED 3 ms", Kind::Waited, "3 ms"),
            ("GOT camera: 4.5", Kind::Got, "camera: 4.5"),
            ("BAD camera: all services are down", Kind::Bad, "camera: all services are down"),
            (
                "OPEN breaker on [ratings at http://127.0.0.1:8001]",
                Kind::Open,
                "breaker on [ratings at http://127.0.0.1:8001]",
            ),
            ("LAB paused #1 (SIGSTOP)", Kind::Lab, "paused #1 (SIGSTOP)"),
        ] {
            assert_eq!(Kind::of(text), Some(kind), "{text}");
            assert_eq!(Line::new(1, kind, text.to_owned()).rest(), rest);
        }
    }

    #[test]
    fn other_lines_are_not_part_of_the_story() {
        for text in ["", "OPENED", "listening on http://127.0.0.1:5000", "ratings using nothing"] {
            assert_eq!(Kind::of(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_pages_do_all_the_time_is_not_told() {
        for (text, told) in [
            ("ratings using instance 1: http://127.0.0.1:8001", true),
            ("events using instance 1: http://127.0.0.1:4001", false),
            ("REGISTRY reachable at http://127.0.0.1:8500, for bidders", true),
            ("REGISTRY reachable at http://127.0.0.1:8500, for hub", false),
            ("REGISTRY unreachable at http://127.0.0.1:8500, using the last known 3 backends instances (x)", false),
            ("UP hub instance 1: http://127.0.0.1:8700", true),
            ("RFQ events to hub closed with 8 of 10", true),
        ] {
            assert_eq!(is_told(text), told, "{text}");
        }
    }

    #[test]
    fn a_line_is_sent_with_its_word() {
        let json = serde_json::to_value(Line::new(1, Kind::Open, "OPEN x".to_owned())).unwrap();
        assert_eq!((&json["kind"], &json["text"]), (&"OPEN".into(), &"OPEN x".into()));
        assert!(json["at"].is_u64());
    }
}
