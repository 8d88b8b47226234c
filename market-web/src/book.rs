//! What a service keeps, as the pages show it: requests for quotes, tasks, topics.
//!
//! A book is looked at while somebody watches the page that shows it, or while something in it is under way; and once
//! for every page that is made. It is looked at through the SDK: when the service is away, the last good pages of the
//! book are shown, with the reason.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::hub::TopicView;
use mainstay::{Call, Client};
use tokio::select;
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::{Instant, sleep};

/// How often it is looked at while something is under way, and while nothing is.
const QUICK: Duration = Duration::from_millis(200);
const SLOW: Duration = Duration::from_secs(1);

/// The longest that a page waits for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What can stand in a book.
pub(crate) trait Entries: Send + Sync {
    /// Whether more will happen by itself.
    fn is_under_way(&self) -> bool;
    /// Tells the console what has ended since.
    fn tell(&self, before: &Self);
}

/// Topics never end, and the console has nothing to tell of them.
impl Entries for Vec<TopicView> {
    fn is_under_way(&self) -> bool {
        false
    }

    fn tell(&self, _: &Self) {}
}

/// A book, by the call that reads it.
pub(crate) struct Book<C: Call> {
    client: Client<C::Service>,
    call: C,
    seen: watch::Sender<Arc<Seen<C::Response>>>,
    /// One look at a time, so that nothing is told twice.
    turn: Mutex<()>,
    wake: Notify,
}

/// What was read of a book.
#[derive(Debug)]
pub(crate) struct Seen<T> {
    /// Nothing before the first answer.
    pub(crate) entries: Option<Arc<T>>,
    /// When it was so.
    pub(crate) at: Instant,
    /// Why it is not known how it is now.
    pub(crate) lost: Option<String>,
}

impl<C: Call<Response: Entries> + Clone> Book<C> {
    pub(crate) fn new(client: Client<C::Service>, call: C) -> Self {
        let nothing = Seen { entries: None, at: Instant::now(), lost: None };
        Self { client, call, seen: watch::Sender::new(Arc::new(nothing)), turn: Mutex::default(), wake: Notify::new() }
    }

    /// The client that reads it.
    pub(crate) fn client(&self) -> &Client<C::Service> {
        &self.client
    }

    /// What was read last.
    pub(crate) fn seen(&self) -> Arc<Seen<C::Response>> {
        Arc::clone(&self.seen.borrow())
    }

    /// Changes with every look.
    pub(crate) fn bell(&self) -> watch::Receiver<Arc<Seen<C::Response>>> {
        self.seen.subscribe()
    }

    /// Reads it.
    pub(crate) async fn look(&self) {
        let _turn = self.turn.lock().await;
        let seen = self.read().await;
        if let (Some(entries), Some(before)) = (&seen.entries, &self.seen().entries) {
            entries.tell(before);
        }
        self.seen.send_replace(Arc::new(seen));
        self.wake.notify_waiters();
    }

    /// Reads it if nobody has: what ends from now on is told, and what had ended before is not.
    pub(crate) async fn open(&self) {
        if self.seen().entries.is_none() {
            self.look().await;
        }
    }

    /// Looks, for as long as it is polled.
    pub(crate) async fn keep_looking(&self, is_watched: impl Fn() -> bool) {
        loop {
            let under_way = self.seen().entries.as_ref().is_some_and(|entries| entries.is_under_way());
            if under_way || is_watched() {
                self.look().await;
            }
            select! {
                () = sleep(if under_way { QUICK } else { SLOW }) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    async fn read(&self) -> Seen<C::Response> {
        let before = self.seen();
        let lost = |why: String| Seen { entries: before.entries.clone(), at: before.at, lost: Some(why) };
        // A call would wait for one to come.
        if self.client.snapshot().instances.is_empty() {
            return lost(format!("no {} service is registered", self.client.snapshot().service));
        }
        let now = Instant::now();
        match self.client.call_before(self.call.clone(), now + PATIENCE).await {
            Ok(read) => match read.reason() {
                None => Seen { entries: Some(Arc::new(read.value)), at: now, lost: None },
                Some(why) => lost(why.to_string()),
            },
            Err(error) => lost(error.to_string()),
        }
    }
}

impl<C: Call> fmt::Debug for Book<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("client", &self.client).finish_non_exhaustive()
    }
}
