//! What an application holds to write and read records.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use mainstay_messaging::Messages;
use serde::Serialize;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::changes::Teller;
use crate::limits::{self, OUTBOX_LIMIT, PAGE_LIMIT};
use crate::record::{Step, parse_id};
use crate::relay::{Backlog, Outlet, relay};
use crate::store::{self, NewReply, Store, Which};
use crate::{Begun, Changes, Ending, Error, New, Record, Replied, time};

/// Requests and what came of them, wherever they are kept.
///
/// Cheap to clone; clones share everything. What several callers write at once shares one write to the disk. Every call
/// but [`prune`](Self::prune), which takes many steps, ends within 5 s. Dropped, a call that writes goes on, and has its whole effect or none.
///
/// An id that is no UUID is nobody's: there is no such record, and that is no error.
#[derive(Clone)]
pub struct Records(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    teller: Teller,
    backlog: Arc<Backlog>,
    _relay: AbortOnDropHandle<()>,
}

impl Records {
    /// Opens records where a URL says, makes them if they are not there, and publishes what is in their outbox for as long
    /// as a clone of this is there.
    ///
    /// | URL | Kept |
    /// |---|---|
    /// | `sqlite:PATH` | in a file on this machine; its directory is made if it is not there |
    /// | `postgres://USER@HOST/NAME` | in a database of PostgreSQL, in its schema `mainstay`; needs the feature `postgres` |
    ///
    /// # Errors
    /// When the URL is bad, the database cannot be reached within 5 s, or it is another program's or a newer one's.
    pub async fn open(url: &str, messages: Messages) -> Result<Self, Error> {
        let outlet: Outlet = Arc::new(move |envelope| {
            let messages = messages.clone();
            Box::pin(async move { Ok(messages.publish(envelope).await.map(drop)?) })
        });
        Self::open_with(url, outlet).await
    }

    pub(crate) async fn open_with(url: &str, outlet: Outlet) -> Result<Self, Error> {
        let store = store::open(url).await?;
        let backlog = Arc::<Backlog>::default();
        let relay = tokio::spawn(relay(Arc::clone(&store), outlet, Arc::clone(&backlog)));
        let _relay = AbortOnDropHandle::new(relay);
        Ok(Self(Arc::new(Inner { store, teller: Teller::new(), backlog, _relay })))
    }

    /// Begins a request, unless it is shared with one that is there. Its messages are written with it, and leave at once.
    ///
    /// # Errors
    /// When something in it is bad, there is no room for it or its messages, or the database does not answer.
    pub async fn begin(&self, new: New) -> Result<Begun, Error> {
        new.check()?;
        let id = new.uuid()?;
        if !new.envelopes.is_empty() && self.0.backlog.left() >= OUTBOX_LIMIT {
            return Err(Error::full(format!(
                "{OUTBOX_LIMIT} messages wait in the outbox, as they cannot be published"
            )));
        }
        self.writing(move |this| async move {
            let begun = this.store.begin(id, new).await?;
            match &begun {
                Begun::New(id) => this.wrote(id),
                Begun::UnderWay(record) => this.teller.changed(&record.id),
                Begun::Done(_) => {}
            }
            Ok(begun)
        })
        .await
    }

    /// Stores a reply, unless its responder has replied before, or the request is over.
    ///
    /// # Errors
    /// When something in it is bad, there is no room for it, or the database does not answer.
    pub async fn reply(&self, id: &str, responder: &str, body: &impl Serialize) -> Result<Replied, Error> {
        limits::name("responder", responder)?;
        let reply = NewReply { responder: responder.to_owned(), body: limits::json("reply", body)?, at: time::now() };
        let Some(id) = parse_id(id) else { return Ok(Replied::Unknown) };
        self.writing(move |this| async move {
            let replied = this.store.reply(id, reply).await?;
            if matches!(replied, Replied::Stored { .. }) {
                this.teller.changed(&id.to_string());
            }
            Ok(replied)
        })
        .await
    }

    /// Writes down something that happened to a request, whether it is open or not; whether there is such a request.
    ///
    /// # Errors
    /// When something in it is bad, there is no room for it, or the database does not answer.
    pub async fn step(&self, id: &str, what: &str, by: &str) -> Result<bool, Error> {
        let step = Step::now(what, by);
        step.check()?;
        let Some(id) = parse_id(id) else { return Ok(false) };
        self.writing(move |this| async move {
            let found = this.store.step(id, step).await?;
            if found {
                this.teller.changed(&id.to_string());
            }
            Ok(found)
        })
        .await
    }

    /// Ends a request; whether this is what ended it: for every request, that is true once. Only then do the ending's
    /// messages leave.
    ///
    /// # Errors
    /// When something in it is bad, there is no room for it, or the database does not answer.
    pub async fn finish(&self, id: &str, ending: Ending) -> Result<bool, Error> {
        ending.check()?;
        let Some(id) = parse_id(id) else { return Ok(false) };
        self.writing(move |this| async move {
            let first = this.store.finish(id, ending).await?;
            if first {
                this.wrote(&id.to_string());
            }
            Ok(first)
        })
        .await
    }

    /// A request, if there is such a one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get(&self, id: &str) -> Result<Option<Record>, Error> {
        match parse_id(id) {
            Some(id) => self.0.store.get(id).await,
            None => Ok(None),
        }
    }

    /// Requests of a kind that were received until then, newest first; at most 1000.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn history(&self, kind: &str, until: SystemTime, most: usize) -> Result<Vec<Record>, Error> {
        self.list(kind, Which::Until(until), most).await
    }

    /// Requests of a kind that are open, in the order of their ids, which is that of their beginning; those after a given
    /// one; at most 1000. For whoever starts again, and has to go on with them.
    ///
    /// # Errors
    /// When the database does not answer, or `after` is no UUID.
    pub async fn under_way(&self, kind: &str, after: Option<&str>, most: usize) -> Result<Vec<Record>, Error> {
        let bad = |after| Error::bad(format!("an id is a UUID, not {after:?}"));
        let after = after.map(|after| parse_id(after).ok_or_else(|| bad(after))).transpose()?;
        self.list(kind, Which::OpenAfter(after.unwrap_or(Uuid::nil())), most).await
    }

    /// Requests of a kind that are open though their deadline has come, the first due first; at most 1000.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due(&self, kind: &str, now: SystemTime, most: usize) -> Result<Vec<Record>, Error> {
        self.list(kind, Which::Due(now), most).await
    }

    async fn list(&self, kind: &str, which: Which, most: usize) -> Result<Vec<Record>, Error> {
        let most = u32::try_from(most).unwrap_or(PAGE_LIMIT).min(PAGE_LIMIT);
        self.0.store.list(kind.to_owned(), which, most).await
    }

    /// Forgets requests of a kind that have ended: those received before some time, and the oldest beyond so many; how many
    /// it were. Those under way stay.
    ///
    /// # Errors
    /// When the database does not answer. Some may have been forgotten then.
    pub async fn prune(&self, kind: &str, received_before: SystemTime, most_kept: u64) -> Result<u64, Error> {
        let mut pruned = 0;
        loop {
            match self.0.store.prune(kind.to_owned(), received_before, most_kept).await? {
                0 => return Ok(pruned),
                some => pruned += some,
            }
        }
    }

    /// What this process writes from now on.
    pub fn changes(&self) -> Changes {
        self.0.teller.follow()
    }

    /// What was begun is finished, and told to whoever follows, though its caller has left.
    async fn writing<T, F>(&self, write: impl FnOnce(Arc<Inner>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let written = tokio::spawn(write(Arc::clone(&self.0))).await;
        written.unwrap_or_else(|_| Err(Error::unavailable("the runtime is ending")))
    }
}

impl Inner {
    fn wrote(&self, id: &str) {
        self.backlog.written();
        self.teller.changed(id);
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("store", &self.0.store).finish_non_exhaustive()
    }
}
