//! A look at the registry for people.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use http::header::HOST;
use http::{HeaderMap, StatusCode};
use mainstay_contracts::registry::{Listed, Presence};

use super::denied::Denied;
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
    let names = directory.services();
    let total = names.services.len();
    let (mut sections, mut shown) = (Vec::new(), 0);
    for (name, count) in names.services {
        if shown >= MOST {
            break;
        }
        let rows = directory.rows(&name, MOST_OF_ONE);
        shown += rows.len();
        sections.push(Section { count: count.max(rows.len()), name, rows });
    }
    let unshown = total - sections.len();
    let page = Status { epoch: names.epoch, sections, unshown, host }.render();
    page.map(Html).map_err(|error| Denied::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn presence(listed: &Listed) -> &'static str {
    match listed.presence {
        Presence::Up => "up",
        Presence::Silent => "silent",
        Presence::Suspect => "suspect",
        Presence::Draining => "draining",
        Presence::Gone => "gone",
    }
}
