//! A store of its own for a test, and what tests say to it.

use std::sync::Arc;

use mainstay_messaging::{Envelope, Message};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::post::Post;
use super::server::Server;
use crate::{Begun, New, Record, Records};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) a: i64,
    pub(super) b: i64,
}

impl Message for Sum {
    const TOPIC: &'static str = "sums";
}

pub(super) const SUM: Sum = Sum { a: 5, b: 10 };

pub(super) struct World {
    pub(super) records: Records,
    pub(super) post: Post,
    pub(super) url: String,
    pub(super) keeper: Keeper,
}

/// What must not end before the test.
pub(super) enum Keeper {
    Sqlite(#[expect(dead_code, reason = "it is there as long as the test")] TempDir),
    Postgres(Arc<Server>),
}

impl World {
    pub(super) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/new/records.db", directory.path().display());
        Self::over(url, Keeper::Sqlite(directory)).await
    }

    /// `None`, and it is said why, if there is no PostgreSQL here.
    pub(super) async fn postgres() -> Option<Self> {
        let server = Server::shared()?;
        let url = server.new_database();
        Some(Self::over(url, Keeper::Postgres(server)).await)
    }

    async fn over(url: String, keeper: Keeper) -> Self {
        let post = Post::new();
        Self { records: Records::open_with(&url, post.outlet()).await.unwrap(), post, url, keeper }
    }

    /// The same records, opened by somebody else, whose messages go elsewhere.
    pub(super) async fn another(&self) -> (Records, Post) {
        let post = Post::new();
        (Records::open_with(&self.url, post.outlet()).await.unwrap(), post)
    }

    pub(super) async fn begun(&self, new: New) -> String {
        new_id(self.records.begin(new).await.unwrap())
    }

    pub(super) async fn get(&self, id: &str) -> Record {
        self.records.get(id).await.unwrap().unwrap()
    }
}

pub(super) fn new_id(begun: Begun) -> String {
    match begun {
        Begun::New(id) => id,
        other => panic!("{other:?}"),
    }
}

pub(super) fn sum() -> New {
    New::of("sums", &SUM).unwrap()
}

/// A request whose message has its id.
pub(super) fn asking() -> New {
    let new = sum();
    let envelope = message(new.id());
    new.publish(envelope)
}

pub(super) fn message(id: &str) -> Envelope {
    Envelope::new(id, &SUM).unwrap()
}
