//! Names that are configured.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// What all names end with, without dots at its ends: `consul`, or `consul.example`. Up to 100 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(Box<str>);

/// The name of a datacentre: `dc1`. One label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datacentre(Box<str>);

/// 255 bytes less what may stand before it: `PORT.HEX.addr.DC.dc` and the root.
const LONGEST: usize = 100;

/// What a name in DNS may consist of, between its dots.
pub(super) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl Domain {
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Domain {
    fn default() -> Self {
        Self("consul".into())
    }
}

impl FromStr for Domain {
    type Err = BadLabel;

    fn from_str(text: &str) -> Result<Self, BadLabel> {
        if text.len() <= LONGEST && text.split('.').all(is_label) {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(BadLabel::new("domain", text, "up to 100 bytes of A-Z a-z 0-9 - _, in parts of 1 to 63 between dots"))
        }
    }
}

impl Datacentre {
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Datacentre {
    fn default() -> Self {
        Self("dc1".into())
    }
}

impl FromStr for Datacentre {
    type Err = BadLabel;

    fn from_str(text: &str) -> Result<Self, BadLabel> {
        if is_label(text) && !text.starts_with('_') {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(BadLabel::new("datacentre", text, "1 to 63 of A-Z a-z 0-9 - _, not starting with _"))
        }
    }
}

/// A name cannot be one in DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLabel {
    what: &'static str,
    text: String,
    rule: &'static str,
}

impl BadLabel {
    fn new(what: &'static str, text: &str, rule: &'static str) -> Self {
        Self { what, text: text.chars().take(140).collect(), rule }
    }
}

impl fmt::Display for BadLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} is not {}", self.what, self.text, self.rule)
    }
}

impl Error for BadLabel {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_are_refused_with_the_rule() {
        assert_eq!("Consul.Example".parse::<Domain>().unwrap().as_str(), "consul.example");
        assert_eq!("DC-2".parse::<Datacentre>().unwrap().as_str(), "dc-2");
        for wrong in ["", ".", "consul.", ".consul", "a..b", "a b", "ü", &"a".repeat(64), &["ab"; 40].join(".")] {
            let error = wrong.parse::<Domain>().unwrap_err().to_string();
            assert!(error.starts_with("domain ") && error.contains("up to 100 bytes"), "{error}");
        }
        for wrong in ["", "a.b", "_a", "a b", &"a".repeat(64)] {
            assert!(wrong.parse::<Datacentre>().unwrap_err().to_string().contains("is not 1 to 63"), "{wrong:?}");
        }
    }
}
