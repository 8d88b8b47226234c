//! One provider at work: it hears requests on its channel, and answers them in its own time.
//!
//! A request stays unacknowledged until its answer is published: whoever kills the provider meanwhile only makes it
//! late, as the request is delivered again, and decided the same.

use std::sync::Arc;
use std::time::Duration;

use mainstay::Registration;
use mainstay::contracts::quotes::{Quote, Rfq};
use mainstay_messaging::{Delivery, Envelope, Failed, Messages, Rules};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Answer, Provider};
use crate::channel::Channel;

/// How long until a request is delivered again to a provider that was killed. One that waits says so all the while.
const VISIBILITY: Duration = Duration::from_secs(6);
/// Requests that a provider has in mind at once; others wait in its channel.
const AT_ONCE: usize = 1024;

/// Attends to requests, and is registered, until it is stopped.
pub(super) async fn attend(
    provider: Provider,
    messages: Messages,
    registration: Registration,
    stop: CancellationToken,
) {
    // Its process may die as often as it likes, and those who keep messages may be away for long.
    let rules = Rules { visibility_ms: VISIBILITY.as_millis() as u64, tries: 0, ..Rules::default() };
    let channel = Channel::<Rfq>::new(messages.clone(), provider.name(), rules);
    // Whoever is asked must have a channel to hear of it.
    let Some(()) = stop.run_until_cancelled(channel.declare()).await else { return };
    let lease = registration.start();
    let provider = Arc::new(provider);
    let handle = move |asked| answer(Arc::clone(&provider), messages.clone(), asked);
    // Requests that it has in mind are delivered again, to whoever is this provider next.
    stop.run_until_cancelled(channel.consume(AT_ONCE, handle)).await;
    lease.release().await;
}

async fn answer(provider: Arc<Provider>, messages: Messages, asked: Arc<Delivery<Rfq>>) -> Result<(), Failed> {
    let (rfq, responder) = (&asked.message, provider.name());
    let Some(Answer { quote, after }) = provider.answer(rfq) else {
        info!("{responder} keeps silent to {}", rfq.id);
        return Ok(());
    };
    sleep(after).await;
    // Under the same id, it is one quote however often it is published.
    let id = format!("{}-{responder}", rfq.id);
    let published = messages.publish(Envelope::new(id, &Quote { rfq_id: rfq.id.clone(), responder, quote })?).await;
    match published {
        Ok(_) => info!("{} quotes {quote} to {}, after {} ms", provider.name(), rfq.id, after.as_millis()),
        // Such as a request with an id that is too long to be answered to: it never can be.
        Err(error) if error.is_bad() => {
            warn!("{} cannot be answered: {error}", rfq.id);
            asked.reject().await?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
