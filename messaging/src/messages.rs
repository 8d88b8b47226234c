//! What an application holds to publish, consume and ask.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::hub::{Published, Rules};
use mainstay::contracts::message::check_name;
use mainstay::contracts::{Envelope, Message};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::batch::{Batcher, Thing};
use crate::consumer::Consumer;
use crate::engine::{self, Engine, Place};
use crate::{Asker, Delivery, Error};

/// How long a publish may take, with all that is tried again.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long until a channel that could not be made is tried again: whatever keeps it may just be starting.
const AGAIN: Duration = Duration::from_millis(50);

/// Topics and channels, wherever they are kept.
///
/// Cheap to clone; clones share everything, and what several callers publish at once travels together.
#[derive(Clone)]
pub struct Messages {
    engine: Arc<dyn Engine>,
    publisher: Batcher<Envelope, Published>,
}

/// A message was taken: it is as safe as its engine says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// It was taken before, under the same id, and not a second time.
    pub twice: bool,
}

impl Messages {
    /// Topics and channels at a URL.
    ///
    /// | URL | Messages are kept |
    /// |---|---|
    /// | `embedded:DIR` | in this process, in a directory |
    /// | `hub://HOST:PORT` | by a [hub](crate::hub) that the registry at this address knows; it may be away, and come |
    /// | `nats://HOST:PORT` | in NATS JetStream (feature `nats`, on by default); it may be away, and come |
    ///
    /// # Errors
    /// When the URL is none of these, or what it names cannot be opened.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Ok(Self::over(engine::open(url).await?))
    }

    pub(crate) fn over(engine: Arc<dyn Engine>) -> Self {
        let publisher = Batcher::start({
            let engine = Arc::clone(&engine);
            move |messages| {
                let engine = Arc::clone(&engine);
                async move { engine.publish(messages).await }
            }
        });
        Self { engine, publisher }
    }

    /// An id that nobody else has, and that comes after those made before it.
    pub fn new_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Makes a channel of `M`'s topic: from now on it gets a copy of everything that is published. One that is there
    /// stays as it is, and gets these rules.
    ///
    /// # Errors
    /// When the topic's or the channel's name is bad, or the engine cannot be reached within 5 s.
    ///
    /// Cancel safe.
    pub async fn declare<M: Message>(&self, channel: &str, rules: Rules) -> Result<(), Error> {
        let place = place::<M>(channel)?;
        let limit = Instant::now() + PATIENCE;
        loop {
            let declared = timeout_at(limit, self.engine.declare(place.clone(), rules)).await;
            let late = || Err(Error::unavailable("the channel was not made within 5 s"));
            match declared.unwrap_or_else(|_| late()) {
                Err(error) if error.is_unavailable() && Instant::now() + AGAIN < limit => sleep(AGAIN).await,
                declared => return declared,
            }
        }
    }

    /// Publishes a message, under an id of its own.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn tell<M: Message>(&self, message: &M) -> Result<Taken, Error> {
        self.publish(Envelope::new(Self::new_id(), message).map_err(Error::bad)?).await
    }

    /// Publishes a message; returns when it is as safe as its engine says. While the engine cannot be reached, that is
    /// tried again: nothing is lost and nothing comes twice by it.
    ///
    /// # Errors
    /// When the message is bad, its topic unknown, no room left for it, or the engine has not answered within 5 s: then
    /// it may have been taken, and may be published again under the same id.
    ///
    /// Cancel safe: dropped, the message may be published or not.
    pub async fn publish(&self, envelope: Envelope) -> Result<Taken, Error> {
        envelope.check().map_err(Error::bad)?;
        match self.publisher.submit(envelope, Instant::now() + PATIENCE).await? {
            Published::Taken => Ok(Taken { twice: false }),
            Published::Twice => Ok(Taken { twice: true }),
            Published::Bad(why) => Err(Error::bad(why)),
            Published::Unknown(why) => Err(Error::unknown(why)),
            Published::Full(why) => Err(Error::full(why)),
        }
    }

    /// Replies to whoever sent a delivery, if they want a reply: on `R`'s topic, under an id made of the delivery's, so that
    /// whoever handles it twice replies once. Of several who reply to one request, the first is heard.
    ///
    /// # Errors
    /// As [`publish`](Self::publish). That whoever asked is gone is none.
    ///
    /// Cancel safe: dropped, the reply may be published or not.
    pub async fn reply<M: Message, R: Message>(&self, to: &Delivery<M>, reply: &R) -> Result<(), Error> {
        let (Some(channel), Some(correlation)) = (&to.reply_to, &to.correlation) else { return Ok(()) };
        let envelope = Envelope::new(format!("reply-{}", to.id), reply).map_err(Error::bad)?;
        match self.publish(envelope.only_to(channel).correlated(correlation)).await {
            Err(error) if !error.is_unknown() => Err(error),
            _ => Ok(()),
        }
    }

    /// Consumes a channel of `M`'s topic, together with everybody else who does. It has to be declared.
    ///
    /// # Errors
    /// When the topic's or the channel's name is bad.
    pub fn consume<M: Message>(&self, channel: &str) -> Result<Consumer<M>, Error> {
        Ok(Consumer::new(Arc::clone(&self.engine), place::<M>(channel)?))
    }

    /// Asks by messages, and waits for replies of type `R`.
    ///
    /// # Errors
    /// When the channel for the replies cannot be made.
    pub async fn asker<R: Message>(&self) -> Result<Asker<R>, Error> {
        Asker::start(self.clone()).await
    }
}

impl Thing for Envelope {
    fn bytes(&self) -> usize {
        // Names and ids are short.
        self.body.get().len() + 256
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("engine", &self.engine).finish_non_exhaustive()
    }
}

fn place<M: Message>(channel: &str) -> Result<Place, Error> {
    check_name("topic", M::TOPIC).map_err(Error::bad)?;
    check_name("channel", channel).map_err(Error::bad)?;
    Ok(Place { topic: M::TOPIC.to_owned(), channel: channel.to_owned() })
}
