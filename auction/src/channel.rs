//! A channel that is consumed for as long as its consumer lives, whatever becomes of those who keep it.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use mainstay_messaging::{Delivery, Error, Failed, Message, Messages, Rules};
use tokio::time::sleep;
use tracing::warn;

/// How long until a channel that could not be had is asked for again.
const AGAIN: Duration = Duration::from_millis(500);

/// A channel of `M`'s topic, and how it treats what it gets.
#[derive(Debug)]
pub(crate) struct Channel<M> {
    messages: Messages,
    name: String,
    rules: Rules,
    _message: PhantomData<fn() -> M>,
}

impl<M: Message> Channel<M> {
    pub(crate) fn new(messages: Messages, name: String, rules: Rules) -> Self {
        Self { messages, name, rules, _message: PhantomData }
    }

    /// Makes the channel; waits, without a bound, for those who keep it.
    pub(crate) async fn declare(&self) {
        let mut complained = false;
        while let Err(error) = self.messages.declare::<M>(&self.name, self.rules).await {
            if !std::mem::replace(&mut complained, true) {
                warn!("channel {} of {} is not there: {error}; trying on", self.name, M::TOPIC);
            }
            sleep(AGAIN).await;
        }
    }

    /// Consumes the channel for as long as this is polled, and makes it again if it is gone.
    pub(crate) async fn consume<H, F>(&self, at_once: usize, handle: H) -> Infallible
    where
        H: Fn(Arc<Delivery<M>>) -> F,
        F: Future<Output = Result<(), Failed>> + Send + 'static,
    {
        loop {
            self.declare().await;
            if let Err(error) = self.consume_once(at_once, &handle).await {
                warn!("channel {} of {} is gone: {error}; making it again", self.name, M::TOPIC);
            }
            sleep(AGAIN).await;
        }
    }

    async fn consume_once<H, F>(&self, at_once: usize, handle: &H) -> Result<(), Error>
    where
        H: Fn(Arc<Delivery<M>>) -> F,
        F: Future<Output = Result<(), Failed>> + Send + 'static,
    {
        self.messages.consume(&self.name)?.run(at_once, handle, pending()).await
    }
}
