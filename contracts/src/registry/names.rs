//! What things are called.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

/// Makes a type of a name that is 1 to 128 of `A-Z a-z 0-9 . _ -`, and neither `.` nor `..`.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
                if matches!(text, "." | "..") {
                    Err(BadName::new($what, text, "a name: in a path it is a step, which clients take before they ask"))
                } else if (1..=128).contains(&text.len()) && text.chars().all(fits) {
                    Ok(Self(text.into()))
                } else {
                    Err(BadName::new($what, text, "1 to 128 of A-Z a-z 0-9 . _ -"))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of one instance, unique within its service: 1 to 128 of `A-Z a-z 0-9 . _ -`, and neither `.` nor `..`.
    InstanceId,
    "instance id"
);

name!(
    /// The name of one lease, unique within the registry: 1 to 128 of `A-Z a-z 0-9 . _ -`, and neither `.` nor `..`.
    ///
    /// Whoever knows it can beat for it and end it, so it should be a random one.
    LeaseId,
    "lease"
);

/// Checks a service's name: 1 to 63 of `a-z`, `0-9` and `-`, starting with a letter.
///
/// # Errors
/// Says which name, and what names look like.
pub fn check_service_name(name: &str) -> Result<(), BadName> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && name.len() <= 63 && name.chars().all(fits) {
        Ok(())
    } else {
        Err(BadName::new("service name", name, "1 to 63 of a-z 0-9 -, starting with a letter"))
    }
}

/// A name does not look as it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    what: &'static str,
    text: String,
    rule: &'static str,
}

impl BadName {
    pub(super) fn new(what: &'static str, text: &str, rule: &'static str) -> Self {
        Self { what, text: text.chars().take(140).collect(), rule }
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} is not {}", self.what, self.text, self.rule)
    }
}

impl Error for BadName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_are_refused() {
        assert!(check_service_name("ratings-2").is_ok());
        for wrong in ["", "2ratings", "Ratings", "a_b", "ä", "a/b", &"a".repeat(64)] {
            assert!(check_service_name(wrong).is_err(), "{wrong:?}");
        }
        assert!("ratings-1.local_A".parse::<InstanceId>().is_ok());
        for wrong in ["", "a b", "a/b", "ü", &"a".repeat(129), ".", ".."] {
            assert!(wrong.parse::<InstanceId>().is_err(), "{wrong:?}");
        }
        assert!("...".parse::<InstanceId>().is_ok());
        let said = "..".parse::<LeaseId>().unwrap_err().to_string();
        assert_eq!(said, r#"lease ".." is not a name: in a path it is a step, which clients take before they ask"#);
    }
}
