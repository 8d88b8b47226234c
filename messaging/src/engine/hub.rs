//! Messages in a hub, found through the registry and called like any service.
//!
//! Whatever the hub is asked for is done once however often it is asked, so that a call that broke is tried again: by the
//! SDK while its deadline lasts, and by whoever published for as long as they wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{
    Declare, Delivered, Hub, Publish, Published, Receive, Rules, Settle, Settlement, Verdict,
};
use mainstay::{Address, Call, Client};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{debug, info};

use super::{Engine, Place};
use crate::Error;
use crate::hub::read;

/// How long a hub keeps a channel that it does not keep on disk, when nobody asks.
const ABANDONED: Duration = Duration::from_secs(60);

/// Messages in a hub.
#[derive(Debug)]
pub(crate) struct RemoteHub {
    client: Client<Hub>,
    /// Channels that a hub forgets when it ends, and when they were last asked: whoever consumes them has them made anew.
    unkept: Mutex<HashMap<Place, (Rules, Instant)>>,
}

impl RemoteHub {
    /// The hub of a registry. It may be away, and come.
    pub(crate) fn found_by(registry: Address) -> Result<Self, Error> {
        let client = Client::builder().registry(registry).build();
        let client = client.map_err(|error| Error::bad("the hub cannot be called").because(error))?;
        Ok(Self { client, unkept: Mutex::default() })
    }

    async fn call<C: Call<Service = Hub>>(&self, call: C) -> Result<C::Response, Error> {
        self.client.call(call).await.map(|answer| answer.value).map_err(read)
    }

    /// Receives from a channel, and makes it anew if the hub has forgotten it.
    async fn receive_of(&self, place: &Place, most: usize, wait: Duration) -> Result<Vec<Delivered>, Error> {
        let Place { topic, channel } = place.clone();
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let receive = Receive { topic, channel, most, wait_ms };
        let rules = self.asked(place);
        match (self.call(receive.clone()).await, rules) {
            (Err(error), Some(rules)) if error.is_unknown() => {
                info!(target: "mainstay::messaging", "{place} is made anew: {error}");
                self.declare(place.clone(), rules).await?;
                self.call(receive).await
            }
            (received, _) => received,
        }
    }

    fn asked(&self, place: &Place) -> Option<Rules> {
        let mut unkept = self.unkept.lock();
        let (rules, asked) = unkept.get_mut(place)?;
        *asked = Instant::now();
        Some(*rules)
    }

    /// Nobody waits for these any more: others shall have them before their time is over. Those of a channel that is not
    /// kept are gone.
    async fn give_back(&self, place: Place, received: Vec<Delivered>) {
        if received.is_empty() {
            return;
        }
        debug!(target: "mainstay::messaging", "{place}: nobody waits for {} messages any more", received.len());
        let settlement = |delivered: Delivered| Settlement { receipt: delivered.receipt, verdict: Verdict::Nack };
        // If this does not get through, their time ends it.
        let _ = self.settle(place, received.into_iter().map(settlement).collect()).await;
    }
}

impl Engine for RemoteHub {
    fn declare(&self, place: Place, rules: Rules) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            let Place { topic, channel } = place.clone();
            self.call(Declare { topic, channel, rules }).await?;
            if !rules.kept {
                let mut unkept = self.unkept.lock();
                unkept.retain(|_, (_, asked)| asked.elapsed() < ABANDONED);
                unkept.insert(place, (rules, Instant::now()));
            }
            Ok(())
        }
        .boxed()
    }

    fn publish(&self, messages: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, Error>> {
        self.call(Publish { messages }).boxed()
    }

    fn receive(
        self: Arc<Self>,
        place: Place,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'static, Result<Vec<Delivered>, Error>> {
        async move {
            // In a task of its own: a call that was dropped goes on until its timeout, and takes messages with it.
            let (done, received) = oneshot::channel();
            tokio::spawn(async move {
                if let Err(Ok(unread)) = done.send(self.receive_of(&place, most, wait).await) {
                    self.give_back(place, unread).await;
                }
            });
            received.await.map_err(|_| Error::unavailable("the runtime is ending"))?
        }
        .boxed()
    }

    fn settle(&self, place: Place, settlements: Vec<Settlement>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let Place { topic, channel } = place;
        self.call(Settle { topic, channel, settlements }).boxed()
    }
}
