//! A look at the registry for people: as it is, and as it changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::future::ready;
use futures_util::{StreamExt, stream};
use http::header::HOST;
use http::{HeaderMap, StatusCode};
use mainstay_contracts::registry::{Inspected, Overview, Presence, ServiceOverview};
use tokio::time::sleep;

use super::denied::Denied;
use super::streams::{Granted, stands};
use crate::directory::Directory;

/// How many instances of one service, and of all, are shown; the list has all.
const MOST_OF_ONE: usize = 50;
const MOST: usize = 500;
/// How often a page that is looked at is brought up to date.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "status.html")]
struct Page {
    overview: Overview,
    sections: Vec<Section>,
    unshown: usize,
    /// Where the reader has reached the registry, for the examples.
    host: String,
}

/// What changes of the page.
#[derive(Template)]
#[template(path = "services.html")]
struct Services {
    overview: Overview,
    sections: Vec<Section>,
    unshown: usize,
}

struct Section {
    overview: ServiceOverview,
    rows: Vec<Inspected>,
}

impl Page {
    fn summary(&self) -> String {
        summary(&self.overview)
    }
}

impl Section {
    fn unshown(&self) -> usize {
        self.overview.instances().saturating_sub(self.rows.len())
    }

    fn counts(&self) -> Vec<(usize, &'static str)> {
        let ServiceOverview { up, silent, suspect, draining, .. } = self.overview;
        let counts = [(up, "up"), (silent, "silent"), (suspect, "suspect"), (draining, "draining")];
        counts.into_iter().filter(|(count, _)| *count > 0).collect()
    }
}

/// The status page.
pub(super) async fn status(
    State(directory): State<Arc<Directory>>,
    headers: HeaderMap,
) -> Result<Html<String>, Denied> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost:8500").to_owned();
    let Services { overview, sections, unshown } = services(&directory);
    let page = Page { overview, sections, unshown, host }.render();
    page.map(Html).map_err(|error| Denied::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// What changes of it, every second, for as long as somebody looks.
pub(super) async fn live(State(directory): State<Arc<Directory>>, granted: Granted) -> Result<Response, Denied> {
    let mut stands = stands(granted);
    let looking = directory.look_on()?;
    let events = stream::unfold((directory, looking, None), |(directory, looking, pending)| async {
        if let Some(summary) = pending {
            return Some((Ok::<_, Infallible>(summary), (directory, looking, None)));
        }
        directory.until_stopped(sleep(EVERY)).await?;
        // Whoever looks comes back, and is passed on to the one that knows more.
        if directory.follows() {
            return None;
        }
        let services = services(&directory);
        let event = Event::default().data(services.render().ok()?);
        let summary = Event::default().event("summary").data(summary(&services.overview));
        Some((Ok(event), (directory, looking, Some(summary))))
    });
    Ok(Sse::new(events.take_while(move |_| ready(stands()))).into_response())
}

fn services(directory: &Directory) -> Services {
    let overview = directory.overview();
    let (mut sections, mut shown) = (Vec::new(), 0);
    for service in &overview.services {
        if shown >= MOST {
            break;
        }
        let rows = directory.inspect(&service.service, MOST_OF_ONE).instances;
        shown += rows.len();
        sections.push(Section { overview: service.clone(), rows });
    }
    let unshown = overview.services.len() - sections.len();
    Services { overview, sections, unshown }
}

fn summary(overview: &Overview) -> String {
    let instances: usize = overview.services.iter().map(ServiceOverview::instances).sum();
    let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (services, watchers) = (many(overview.services.len(), "service"), many(overview.watchers, "watcher"));
    let (instances, revision) = (many(instances, "instance"), overview.revision);
    let writer = overview.writer.as_ref().map(|writer| format!(" · of several replicas, {writer} writes"));
    let (up, writer) = (duration(&overview.uptime_ms), writer.unwrap_or_default());
    format!("{services} · {instances} · {watchers} · revision {revision} · up {up}{writer}")
}

fn presence(row: &Inspected) -> &'static str {
    row.listed.presence.as_str()
}

fn is_up(row: &Inspected) -> bool {
    row.listed.presence == Presence::Up
}

/// As people say it: 4 s, 12 min, 3 h, 2 d.
fn duration(millis: &u64) -> String {
    match *millis / 1000 {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds @ 7200..=172_799 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
