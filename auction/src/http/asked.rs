//! How an auction is to be held, as the request's query says it.

use std::str::FromStr;
use std::time::Duration;

use mainstay::Completion;

use super::refused::Refused;
use crate::Terms;

/// The longest deadline that may be asked for.
pub(crate) const LONGEST_DEADLINE_MS: u16 = 10_000;

/// The most bids that may be asked for.
const MOST: u16 = 1000;

/// How an auction is to be held and told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) terms: Terms,
    /// Is every leg told?
    pub(super) detail: bool,
}

impl FromStr for Asked {
    type Err = Refused;

    fn from_str(query: &str) -> Result<Self, Refused> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| Refused::bad_request(format!("the query: {error}")))?;
        let (mut detail, mut deadline, mut completion) = (None, None, None);
        for (name, value) in &pairs {
            match name.as_str() {
                "detail" => once(name, &mut detail, boolean(name, value)?)?,
                "deadline_ms" => once(name, &mut deadline, number(name, value, LONGEST_DEADLINE_MS)?)?,
                "first" | "quorum" if completion.is_some() => {
                    return Err(Refused::bad_request(format!("{name}: there is one of first and quorum, once")));
                }
                "first" => completion = Some(Completion::First(number(name, value, MOST)?.into())),
                "quorum" if value == "majority" => completion = Some(Completion::Majority),
                "quorum" => completion = Some(Completion::Quorum(number(name, value, MOST)?.into())),
                _ => {
                    let name: String = name.chars().take(100).collect();
                    let known = "there are detail, deadline_ms, first and quorum";
                    return Err(Refused::bad_request(format!("{name}: no such parameter; {known}")));
                }
            }
        }
        let usual = Terms::default();
        let terms = Terms {
            deadline: deadline.map_or(usual.deadline, |ms| Duration::from_millis(u64::from(ms))),
            completion: completion.unwrap_or(usual.completion),
        };
        Ok(Self { terms, detail: detail.unwrap_or_default() })
    }
}

fn boolean(name: &str, value: &str) -> Result<bool, Refused> {
    value.parse().map_err(|_| Refused::bad_request(format!("{name}: neither true nor false")))
}

fn number(name: &str, value: &str, most: u16) -> Result<u16, Refused> {
    // `+1` parses as a number, and is none in a query: there it was `%2B1`.
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| digits && (1..=most).contains(number));
    number.ok_or_else(|| Refused::bad_request(format!("{name}: not a whole number from 1 to {most}")))
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), Refused> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Refused::bad_request(format!("{name}: given twice"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_how() {
        for (query, deadline, completion, detail) in [
            ("", 1000, Completion::All, false),
            ("detail=true", 1000, Completion::All, true),
            ("detail=false&deadline_ms=1", 1, Completion::All, false),
            ("deadline_ms=10000&first=1000", 10_000, Completion::First(1000), false),
            ("quorum=2&detail=true", 1000, Completion::Quorum(2), true),
            ("quorum=majority", 1000, Completion::Majority, false),
        ] {
            let asked: Asked = query.parse().unwrap();
            let terms = Terms { deadline: Duration::from_millis(deadline), completion };
            assert_eq!(asked, Asked { terms, detail }, "{query}");
        }
    }

    #[test]
    fn what_does_not_is_refused_by_name() {
        for (query, why) in [
            ("x=1", "x: no such parameter; there are detail, deadline_ms, first and quorum"),
            ("detail", "detail: neither true nor false"),
            ("detail=True", "detail: neither true nor false"),
            ("detail=true&detail=true", "detail: given twice"),
            ("deadline_ms=0", "deadline_ms: not a whole number from 1 to 10000"),
            ("deadline_ms=10001", "deadline_ms: not a whole number from 1 to 10000"),
            ("deadline_ms=1.5", "deadline_ms: not a whole number from 1 to 10000"),
            ("deadline_ms=%2B1", "deadline_ms: not a whole number from 1 to 10000"),
            ("deadline_ms=", "deadline_ms: not a whole number from 1 to 10000"),
            ("deadline_ms=99999999999999999999", "deadline_ms: not a whole number from 1 to 10000"),
            ("deadline_ms=5&deadline_ms=5", "deadline_ms: given twice"),
            ("first=0", "first: not a whole number from 1 to 1000"),
            ("first=1001", "first: not a whole number from 1 to 1000"),
            ("first=majority", "first: not a whole number from 1 to 1000"),
            ("quorum=0", "quorum: not a whole number from 1 to 1000"),
            ("quorum=Majority", "quorum: not a whole number from 1 to 1000"),
            ("first=1&first=1", "first: there is one of first and quorum, once"),
            ("first=1&quorum=1", "quorum: there is one of first and quorum, once"),
        ] {
            assert_eq!(query.parse::<Asked>().unwrap_err().message, why, "{query}");
        }
    }
}
