//! How a bidder behaves.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// How a bidder behaves; all but the first for showing what an auction makes of it.
///
/// As a text, which other programs can pass on: `bids`, `silent`, `fails`, `says=<body>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Manner {
    /// It bids, or says that it does not want the thing.
    #[default]
    Bids,
    /// It takes every request, its health path's too, and never answers.
    Silent,
    /// It answers every request, its health path's too, with status 500.
    Fails,
    /// It answers with status 200 and this body, whatever it is: `{"Bid":"470000"}` is no bid.
    Says(String),
}

const SAYS: &str = "says=";

impl FromStr for Manner {
    type Err = BadManner;

    fn from_str(text: &str) -> Result<Self, BadManner> {
        match text {
            "bids" => Ok(Self::Bids),
            "silent" => Ok(Self::Silent),
            "fails" => Ok(Self::Fails),
            _ => match text.strip_prefix(SAYS) {
                Some(body) => Ok(Self::Says(body.to_owned())),
                None => Err(BadManner { text: text.chars().take(100).collect() }),
            },
        }
    }
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bids => f.write_str("bids"),
            Self::Silent => f.write_str("silent"),
            Self::Fails => f.write_str("fails"),
            Self::Says(body) => write!(f, "{SAYS}{body}"),
        }
    }
}

/// A text is not a [`Manner`]; says which ones there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadManner {
    text: String,
}

impl fmt::Display for BadManner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is none of bids, silent, fails, says=BODY", self.text)
    }
}

impl Error for BadManner {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manners_are_written_as_they_are_read() {
        for (text, manner) in [
            ("bids", Manner::Bids),
            ("silent", Manner::Silent),
            ("fails", Manner::Fails),
            ("says=", Manner::Says(String::new())),
            (r#"says={"Bid":"470000"}"#, Manner::Says(r#"{"Bid":"470000"}"#.to_owned())),
            ("says=says=x", Manner::Says("says=x".to_owned())),
        ] {
            assert_eq!(text.parse(), Ok(manner.clone()));
            assert_eq!(manner.to_string(), text);
        }
    }

    #[test]
    fn other_manners_are_refused_with_those_there_are() {
        for text in ["", "says", "Silent", "bids "] {
            let error = text.parse::<Manner>().unwrap_err().to_string();
            assert_eq!(error, format!("{text:?} is none of bids, silent, fails, says=BODY"));
        }
    }
}
