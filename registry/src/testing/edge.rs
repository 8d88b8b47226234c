//! Whatever anybody asks of it over HTTP: requests made of any bytes, and what holds of each answer.
//!
//! A fuzzer makes better bytes than people do, but needs to be told of paths; so a request begins with the number of one.

mod answer;
mod request;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use mainstay_contracts::registry::{Listing, WatchFrame};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::answer::Answer;
use self::request::{Asked, requests};
use super::Fold;
use crate::directory::Directory;
use crate::{Config, http as native};

/// What does not wait for somebody else is answered by then.
const SOON: Duration = Duration::from_secs(2);
/// A stream has nothing more to say.
const QUIET: Duration = Duration::from_millis(20);

/// A registry without sockets and without a disk, so that time may be paused.
#[derive(Debug)]
pub struct Edge {
    router: Router,
    stop: CancellationToken,
    writer: JoinHandle<String>,
}

impl Edge {
    /// One that knows nobody, on a runtime whose time is paused.
    ///
    /// # Errors
    /// Never, as there is no disk.
    pub async fn open() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let (directory, mut writer) = Directory::open(Config::default(), stop.clone()).await?;
        let writer = tokio::spawn(async move { writer.run().await });
        Ok(Self { router: native::router(Arc::clone(&directory)), stop, writer })
    }

    /// Asks for everything that the bytes can be read as, one after the other. Returns how much of it was done.
    ///
    /// Requests end with the byte 255. The first byte of one is the number of a path, up to the end of the line is what
    /// stands behind that, and then comes the body.
    ///
    /// # Panics
    /// When a request breaks the registry, hangs, or is refused without a reason; or when, after all of them, a watch has
    /// led to anything but the list.
    pub async fn meet(&self, input: &[u8]) -> usize {
        let mut watch = self.send(get("/v1/services/ratings/watch")).await.into_body();
        let mut done = 0;
        for asked in requests(input) {
            let request = match asked {
                Asked::Nothing(time) => {
                    sleep(time).await;
                    continue;
                }
                Asked::Request(request) => *request,
            };
            let answered = timeout(SOON, self.ask(request.clone())).await;
            let Ok(answer) = answered else {
                assert!(request::may_wait(&request), "no answer to {request:?}");
                continue;
            };
            answer.is_sound(&request);
            done += usize::from(answer.status.is_success());
            assert!(!self.writer.is_finished(), "{request:?} ended the writer");
        }
        let mut fold = Fold::unguarded();
        while let Ok(Some(Ok(frame))) = timeout(QUIET, watch.frame()).await {
            let lines = frame.into_data().unwrap_or_default();
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                fold.take(serde_json::from_slice::<WatchFrame>(line).expect("lines are whole, and known"));
            }
        }
        let listing = self.ask(get_empty("/v1/services/ratings")).await;
        fold.agrees_with(&serde_json::from_slice::<Listing>(&listing.body).expect("a list is one"));
        done
    }

    async fn ask(&self, request: Request<Vec<u8>>) -> Answer {
        let answer = self.send(request.map(Body::from)).await;
        let (head, mut body) = answer.into_parts();
        let mut bytes = Vec::new();
        // A stream has no end: what it says at once is enough.
        while let Ok(Some(frame)) = timeout(QUIET, body.frame()).await {
            bytes.extend_from_slice(&frame.map(|frame| frame.into_data().unwrap_or_default()).unwrap_or_default());
        }
        Answer { status: head.status, headers: head.headers, body: bytes }
    }

    async fn send(&self, request: Request<Body>) -> axum::response::Response {
        let answered = TowerToHyperService::new(self.router.clone()).call(request).await;
        answered.unwrap_or_else(|never| match never {})
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.stop.cancel();
        self.writer.abort();
    }
}

fn get(path: &str) -> Request<Body> {
    get_empty(path).map(Body::from)
}

fn get_empty(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).expect("a path of ours")
}

#[cfg(test)]
mod tests;
