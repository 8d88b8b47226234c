//! A look at the registry for people.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use http::header::HOST;
use http::{HeaderMap, StatusCode};
use mainstay_contracts::registry::Presence;

use super::denied::Denied;
use crate::clock::Time;
use crate::directory::Directory;
use crate::roster::Row;

/// How many instances of one service, and of all, are shown; the list has all.
const MOST_OF_ONE: usize = 50;
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "status.html")]
struct Status {
    epoch: u64,
    sections: Vec<Section>,
    unshown: usize,
    /// Where the reader has reached the registry, for the examples.
    host: String,
    now: Time,
}

struct Section {
    name: String,
    count: usize,
    rows: Vec<Row>,
}

impl Section {
    fn unshown(&self) -> usize {
        self.count - self.rows.len()
    }
}

/// The status page.
pub(super) async fn status(
    State(directory): State<Arc<Directory>>,
    headers: HeaderMap,
) -> Result<Html<String>, Denied> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost:8500").to_owned();
    let services = directory.views().services();
    let total = services.len();
    let (mut sections, mut shown) = (Vec::new(), 0);
    for (view, count) in services {
        if shown >= MOST {
            break;
        }
        let mut rows = view.rows();
        rows.truncate(MOST_OF_ONE);
        shown += rows.len();
        sections.push(Section { count: count.max(rows.len()), name: view.name.to_string(), rows });
    }
    let unshown = total - sections.len();
    let (epoch, now) = (directory.views().epoch(), directory.now());
    let page = Status { epoch, sections, unshown, host, now }.render();
    page.map(Html).map_err(|error| Denied::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn presence(row: &Row) -> &'static str {
    match row.listed.presence {
        Presence::Up => "up",
        Presence::Silent => "silent",
        Presence::Suspect => "suspect",
        Presence::Draining => "draining",
        Presence::Gone => "gone",
    }
}
