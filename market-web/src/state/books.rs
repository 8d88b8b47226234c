//! What is in the books of other services.

use std::sync::Arc;

use mainstay::contracts::hub::TopicView;
use mainstay::contracts::quotes::RfqView;
use mainstay::contracts::tasks::TaskView;
use serde::{Serialize, Serializer};

use crate::book::Seen;
use crate::market::Market;
use crate::tasks::Sent;

/// What is in the books. Nothing in the plain shop.
#[derive(Debug, Default, Serialize)]
pub(crate) struct BooksNow {
    /// Requests for quotes, newest first.
    #[serde(rename = "quotes", serialize_with = "entries")]
    pub(crate) rfqs: Option<Arc<Seen<Vec<RfqView>>>>,
    /// Newest first.
    #[serde(serialize_with = "entries")]
    pub(crate) tasks: Option<Arc<Seen<Vec<TaskView>>>>,
    #[serde(serialize_with = "entries")]
    pub(crate) topics: Option<Arc<Seen<Vec<TopicView>>>>,
    /// The tasks that were sent last from the page.
    #[serde(skip)]
    pub(crate) sent: Option<Arc<Sent>>,
}

impl BooksNow {
    pub(super) fn of(market: &Market) -> Self {
        let Some(clients) = market.clients() else { return Self::default() };
        Self {
            rfqs: Some(clients.rfqs.seen()),
            tasks: Some(clients.history.seen()),
            topics: Some(clients.topics.seen()),
            sent: clients.sender.last(),
        }
    }
}

/// A list, empty when none has been read.
fn entries<T: Serialize, S: Serializer>(seen: &Option<Arc<Seen<Vec<T>>>>, serializer: S) -> Result<S::Ok, S::Error> {
    let entries = seen.as_ref().and_then(|seen| seen.entries.as_ref());
    serializer.collect_seq(entries.into_iter().flat_map(|entries| entries.iter()))
}
