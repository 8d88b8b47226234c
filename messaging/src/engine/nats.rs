//! Messages in NATS JetStream, at `nats://HOST:PORT`.
//!
//! # What an acknowledgement means
//!
//! The server has it, and how safely is the server's setting, which no client can see or change:
//!
//! ```text
//! jetstream {
//!   store_dir: "/var/lib/nats"
//!   sync_interval: always
//! }
//! ```
//!
//! With this, from nats-server 2.10, an acknowledged publish is on disk. Without it, and in 2.9 whatever is set, it is
//! in the system's page cache: it outlives the server's process, `kill -9` included, and may be lost with the machine's
//! power, for up to two minutes by default. 2.9 does not start with that line; there, a `store_dir` on ext4 with
//! `chattr +S` does the same. `nats-server -c FILE -t` says whether a version knows the setting. A warning is logged once
//! when the server's version does not.
//!
//! # What JetStream does, and what is done here
//!
//! | | |
//! |---|---|
//! | topic | a stream that keeps a message until every channel has consumed it |
//! | kept channel | a durable consumer with explicit acknowledgement |
//! | visibility timeout | the consumer's `ack_wait` |
//! | message id | `Nats-Msg-Id`, remembered for 10 min |
//! | full | `max_msgs` and `max_bytes`, new messages discarded; a stream that has others keeps them |
//! | tries, and dead letters | counted by JetStream, moved here (`dead`) to a stream of their own |
//! | late settlements | refused here (`held`): JetStream would take them |
//! | channel that is not kept, and replies to it | plain subjects of NATS (`live`) |
//! | longest message | the server's `max_payload`, headers included: 1 MiB by default, so that a body of exactly as much is too long |
//!
//! # What it does not do
//!
//! * **Ids of consumed messages are forgotten when the server restarts.** Published again then, under the same id, such a
//!   message is a new one. Ids of those that are still there are remembered. Whoever must not do a thing twice keeps the
//!   ids of what is done, as it has to anyway: a message is delivered at least once.
//! * **A settlement may be forgotten by a server that is killed.** 2.9 answers before it has written it, and delivers
//!   again what was acknowledged shortly before. With 2.10 and `sync_interval: always` that was not seen, and is not
//!   promised either.
//! * **A delivery that has run out is known as such where it was received.** A settlement by another process than the
//!   one that received is refused.

mod channel;
mod dead;
mod declare;
mod held;
mod link;
mod live;
mod names;
mod publish;
mod receipt;
mod receive;
mod settle;
mod version;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, try_join_all};
use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{Delivered, Published, Rules, Settlement};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use self::channel::Channel;
use self::link::Link;
use self::live::Live;
use super::{Engine, Place};
use crate::Error;

/// How long until a declaration that did not get through begins again.
const AGAIN: Duration = Duration::from_millis(50);

/// Messages in NATS JetStream.
#[derive(Debug)]
pub(crate) struct Nats {
    link: Link,
    /// Kept channels that were found to be there.
    channels: Mutex<HashMap<Place, Arc<Channel>>>,
    /// Channels that are not kept, of this process.
    lives: Mutex<HashMap<Place, Arc<Live>>>,
}

impl Nats {
    /// Begins to connect to one of the servers named, separated by commas.
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        Ok(Self { link: Link::open(url).await?, channels: Mutex::default(), lives: Mutex::default() })
    }

    /// A kept channel and its rules, if there is one.
    async fn find(&self, place: &Place) -> Result<Option<(Arc<Channel>, Rules)>, Error> {
        let known = self.channels.lock().get(place).cloned();
        let channel = known.unwrap_or_else(|| Arc::new(Channel::new(place.clone())));
        let rules = channel.rules(&self.link).await?;
        let mut channels = self.channels.lock();
        let Some(rules) = rules else {
            channels.remove(place);
            return Ok(None);
        };
        // Somebody else may have found it meanwhile, and received from it.
        let channel = channels.entry(place.clone()).or_insert(channel);
        Ok(Some((Arc::clone(channel), rules)))
    }

    /// A channel that is not kept, if this process has declared it.
    fn live(&self, place: &Place) -> Option<Arc<Live>> {
        self.lives.lock().get(place).filter(|live| !live.is_gone()).cloned()
    }

    async fn declare_live(&self, place: &Place, rules: Rules) -> Result<(), Error> {
        declare::topic(&self.link, &place.topic).await?;
        let live = Arc::new(Live::start(&self.link, place.clone(), rules).await?);
        let mut lives = self.lives.lock();
        lives.retain(|_, live| !live.is_gone());
        lives.insert(place.clone(), live);
        Ok(())
    }

    async fn declare_kept(&self, place: &Place, rules: Rules) -> Result<(), Error> {
        declare::channel(&self.link, place, rules).await?;
        self.lives.lock().remove(place);
        if let Some(channel) = self.channels.lock().get(place) {
            channel.forget_rules();
        }
        Ok(())
    }

    fn has_found(&self, place: &Place) -> bool {
        self.channels.lock().contains_key(place)
    }

    async fn found(&self, place: &Place) -> Result<(Arc<Channel>, Rules), Error> {
        self.find(place).await?.ok_or_else(|| unknown(place))
    }
}

impl Engine for Nats {
    fn declare(&self, place: Place, rules: Rules) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            if !rules.kept && self.live(&place).is_some() {
                return Ok(());
            }
            loop {
                let declare = async {
                    match rules.kept {
                        true => self.declare_kept(&place, rules).await,
                        false => self.declare_live(&place, rules).await,
                    }
                };
                match self.link.during(declare).await {
                    Err(error) if error.is_unavailable() => sleep(AGAIN).await,
                    declared => return declared,
                }
            }
        }
        .boxed()
    }

    fn publish(&self, messages: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, Error>> {
        // All are sent before the first answer is waited for, and in their order.
        let publish = |message| publish::publish(self, message);
        self.link.during(try_join_all(messages.into_iter().map(publish))).boxed()
    }

    fn receive(
        self: Arc<Self>,
        place: Place,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'static, Result<Vec<Delivered>, Error>> {
        async move {
            let until = Instant::now() + wait;
            if let Some(live) = self.live(&place) {
                return Ok(live.receive(most, until).await);
            }
            let receive = async {
                let (channel, rules) = self.found(&place).await?;
                receive::receive(&self.link, &channel, rules, most, until).await
            };
            self.link.during(receive).await
        }
        .boxed()
    }

    fn settle(&self, place: Place, settlements: Vec<Settlement>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let settle = async move {
            if self.live(&place).is_some() {
                return Ok(vec![true; settlements.len()]);
            }
            let (channel, rules) = self.found(&place).await?;
            let settle = |settlement| settle::settle(&self.link, &channel, rules, settlement);
            try_join_all(settlements.into_iter().map(settle)).await
        };
        self.link.during(settle).boxed()
    }
}

fn unknown(place: &Place) -> Error {
    Error::unknown(format!("there is no channel {place}: nobody has declared it"))
}
