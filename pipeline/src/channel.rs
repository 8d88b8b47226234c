//! A channel that those who publish to it and those who consume it agree on.
//!
//! Whoever starts first makes it, and if whatever keeps messages has started anew, whoever notices makes it again: no
//! program has to be started before another.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use mainstay_messaging::{Delivery, Envelope, Error, Failed, Message, Messages, Rules, Taken};
use tokio::time::sleep;
use tracing::{info, warn};

/// How long until what was away is tried again.
const AGAIN: Duration = Duration::from_millis(250);
/// How long handlers that have begun may still take when their program ends. What they do not finish is delivered again.
const DRAIN: Duration = Duration::from_secs(2);

/// A channel of `M`'s topic.
#[derive(Debug)]
pub(crate) struct Channel<M> {
    name: &'static str,
    rules: Rules,
    message: PhantomData<fn() -> M>,
}

impl<M: Message> Channel<M> {
    pub(crate) const fn new(name: &'static str, rules: Rules) -> Self {
        Self { name, rules, message: PhantomData }
    }

    /// Makes it, if it can be made now.
    pub(crate) async fn make(&self, messages: &Messages) -> Result<(), Error> {
        messages.declare::<M>(self.name, self.rules).await
    }

    /// Makes it, however long that takes.
    pub(crate) async fn declare(&self, messages: &Messages) {
        let mut was_away = false;
        while let Err(error) = self.make(messages).await {
            if !was_away {
                info!("channel {} of {} cannot be made: {error}; trying on", self.name, M::TOPIC);
                was_away = true;
            }
            sleep(AGAIN).await;
        }
    }

    /// Publishes to the topic, of which this is a channel.
    pub(crate) async fn publish(&self, messages: &Messages, envelope: Envelope) -> Result<Taken, Error> {
        match messages.publish(envelope.clone()).await {
            Err(error) if error.is_unknown() => {
                self.make(messages).await?;
                messages.publish(envelope).await
            }
            published => published,
        }
    }

    /// Consumes until the shutdown, at most so many messages at once.
    pub(crate) async fn consume<H, F>(
        &self,
        messages: &Messages,
        at_once: usize,
        handle: H,
        shutdown: impl Future<Output = ()>,
    ) where
        H: Fn(Arc<Delivery<M>>) -> F + Clone,
        F: Future<Output = Result<(), Failed>> + Send + 'static,
    {
        let shutdown = shutdown.shared();
        let consuming = async {
            loop {
                tokio::select! {
                    () = self.declare(messages) => {}
                    () = shutdown.clone() => return,
                }
                let consumed = match messages.consume(self.name) {
                    Ok(consumer) => consumer.run(at_once, handle.clone(), shutdown.clone()).await,
                    Err(error) => Err(error),
                };
                match consumed {
                    Ok(()) => return,
                    Err(error) => warn!("channel {} of {} was lost: {error}; trying on", self.name, M::TOPIC),
                }
                sleep(AGAIN).await;
            }
        };
        let late = async {
            shutdown.clone().await;
            sleep(DRAIN).await;
        };
        tokio::select! {
            () = consuming => {}
            () = late => {}
        }
    }
}
