//! What the parts of the service share, and how a request begins.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mainstay::contracts::message::check_name;
use mainstay::contracts::quotes::{Providers, Rfq, Submit};
use mainstay::{Client, Presence};
use mainstay_messaging::{Envelope, Failed};
use mainstay_records::{New, Record, Records};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::hold::Hold;
use super::kept::{KIND, Kept};
use super::tally::Tally;

/// The most who are asked by one request.
const ASKED: usize = 1000;
/// The longest name that leaves room for a request's id beside it.
const NAME: usize = 80;
/// Live streams that are open at once.
const STREAMS: usize = 256;

/// How long a request may be open after its time: a collector that comes back by then hears first what came meanwhile.
pub(super) const RESPITE: Duration = Duration::from_secs(60 * 60);

/// Shared by everybody who serves.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) records: Records,
    pub(super) tally: Tally,
    pub(super) hold: Hold,
    /// Rings when a request begins.
    pub(super) begun: Notify,
    pub(super) streams: Arc<Semaphore>,
    /// Ends all streams: without it, they would outlive every patience.
    pub(super) ending: CancellationToken,
    providers: Client<Providers>,
    open_for: Duration,
}

impl Desk {
    pub(super) fn new(records: Records, providers: Client<Providers>, open_for: Duration) -> Self {
        Self {
            records,
            tally: Tally::default(),
            hold: Hold::new(),
            begun: Notify::new(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            ending: CancellationToken::new(),
            providers,
            open_for,
        }
    }

    /// Writes down a request, and the messages to all who are in the registry now; its id. The messages leave by
    /// themselves.
    pub(super) async fn submit(&self, ride: Submit) -> Result<String, Failed> {
        let kept = Kept::new(ride, self.present(), SystemTime::now() + self.open_for);
        let mut new = New::of(KIND, &kept)?.ends_in(self.open_for + RESPITE).asks(kept.asked.len() as u32);
        let id = new.id().to_owned();
        let Submit { from, to, customer } = kept.ride;
        let rfq = Rfq { id: id.clone(), from, to, customer };
        for name in kept.asked {
            // Not to the topic at large: whoever has left for good has a channel still, and nobody empties it.
            let envelope = Envelope::new(format!("rfq-{id}-{name}"), &rfq)?;
            new = new.publish(envelope.only_to(name));
        }
        self.records.begin(new).await?;
        self.begun.notify_one();
        Ok(id)
    }

    /// The names of all who can be asked. One who is silent may come back, and hears it then.
    fn present(&self) -> Vec<String> {
        let instances = self.providers.snapshot().instances.into_iter();
        let present = instances.filter(|view| view.presence != Presence::Gone);
        let names = present.map(|view| view.instance.id.as_str().to_owned());
        names.filter(|name| name.len() <= NAME && check_name("channel", name).is_ok()).take(ASKED).collect()
    }

    /// Are no more quotes taken for a request, though it has not been ended yet?
    pub(super) fn is_over(&self, record: &Record, kept: &Kept, now: SystemTime) -> bool {
        now >= kept.closes_at() && !self.hold.holds(record.received)
    }
}
