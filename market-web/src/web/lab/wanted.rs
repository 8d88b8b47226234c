//! Which instances are to be started, and how they behave.

use axum::http::StatusCode;
use serde::Deserialize;

use crate::kind::Kind;
use crate::lab::{Conduct, Which};
use crate::tab::Tab;
use crate::web::{Refused, shown};

/// How many instances one request may start.
const AT_ONCE: u32 = 10;

/// What a request says of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    count: Option<u32>,
    number: Option<u32>,
    manner: Option<String>,
    delay_ms: Option<u64>,
    #[serde(rename = "for")]
    shown: Option<String>,
}

impl Wanted {
    /// From the query, and from the form if one was sent: the page's choice comes in it.
    pub(super) fn read(query: &str, form: &[u8]) -> Result<Self, Refused> {
        let fields = [query.as_bytes(), form].join(&b'&');
        serde_urlencoded::from_bytes(&fields).map_err(|bad| Refused::new(StatusCode::BAD_REQUEST, bad.to_string()))
    }

    /// The page to come back to.
    pub(super) fn tab(&self, kind: Kind) -> Result<Tab, Refused> {
        shown::named(self.shown.as_deref(), Tab::of(kind))
    }

    pub(super) fn conduct(&self, kind: Kind) -> Result<Conduct, Refused> {
        let refuse = |reason| Refused::new(StatusCode::BAD_REQUEST, reason);
        if self.manner.is_some() && kind != Kind::Bidders {
            return Err(refuse("manner is for bidders".to_owned()));
        }
        if self.delay_ms.is_some() && !matches!(kind, Kind::Bidders | Kind::Backends) {
            return Err(refuse("delay_ms is for bidders and backends".to_owned()));
        }
        Conduct::of(self.manner.as_deref(), self.delay_ms).map_err(refuse)
    }

    pub(super) fn which(&self, kind: Kind) -> Result<Which, Refused> {
        let refuse = |reason: String| Err(Refused::new(StatusCode::BAD_REQUEST, reason));
        match (self.count.unwrap_or(1), self.number) {
            (_, Some(number)) if !(1..=kind.most).contains(&number) => {
                refuse(format!("number is from 1 to {}", kind.most))
            }
            (1, Some(number)) => Ok(Which::Number(number)),
            (_, Some(_)) => refuse("a number is one instance: leave count out".to_owned()),
            (count, None) if (1..=AT_ONCE).contains(&count) => Ok(Which::Count(count)),
            _ => refuse(format!("count is from 1 to {AT_ONCE}")),
        }
    }
}
