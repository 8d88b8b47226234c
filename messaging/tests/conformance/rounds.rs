//! Rounds of load with a kill at a random point, and what came of them.
//!
//! An effect happens once for each id, because consumers look whether it has: so they must, with messages that are
//! delivered at least once. What is counted is what was lost, and how often that look was needed.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay_messaging::{Consumer, Messages, Rules};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::server::Mortal;
use crate::support::{Note, RULES, channel, note};

const PUBLISHERS: u32 = 64;
/// The notes of round `r` are those from `r * NOTES`, and each publisher has some of them.
const NOTES: u32 = 100_000_000;
/// Consumers of the one channel, each with one message at a time.
const CONSUMERS: usize = 16;
/// Published and not yet consumed, so that publishers are no faster than consumers for long.
const AHEAD: usize = 1000;
/// Longer than anything takes to come back.
const BACK: Duration = Duration::from_secs(20);
/// Whatever is out at a kill comes again after this.
const RULES_OF_ROUNDS: Rules = Rules { visibility_ms: 1000, tries: 0, ..RULES };

/// What became of the messages of one round.
#[derive(Debug, Default, Clone, Copy)]
struct Round {
    /// Publishes that were acknowledged.
    taken: usize,
    /// Publishes that failed: the message may be there or not.
    unsure: usize,
    /// Messages that have had their effect.
    effects: usize,
    /// Taken, and never delivered.
    lost: usize,
    /// Deliveries of a message that has had its effect.
    again: usize,
    /// Of those, of a message whose consumer was told that it is settled.
    settled: usize,
    /// From the kill to the next acknowledged publish.
    away: Duration,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken, unsure, effects, lost, again, settled, away } = self;
        write!(f, "{taken:>8} {unsure:>7} {effects:>8} {lost:>5} {again:>6} {settled:>13} {:>8}", away.as_millis())
    }
}

#[derive(Debug, Default)]
struct Fate {
    taken: bool,
    effect: bool,
    settled: bool,
}

/// Of all rounds: what was settled in one may come again in the next.
#[derive(Default)]
struct Ledger {
    fates: HashMap<u32, Fate>,
    unsure: usize,
    again: usize,
    settled: usize,
    taken_at: Option<Instant>,
}

impl Ledger {
    fn count(&self, round: u32, is: impl Fn(&Fate) -> bool) -> usize {
        self.fates.iter().filter(|&(n, fate)| n / NOTES == round && is(fate)).count()
    }

    fn lost(&self, round: u32) -> usize {
        self.count(round, |fate| fate.taken && !fate.effect)
    }
}

/// What publishers and consumers of a round share.
#[derive(Clone)]
struct Load {
    ledger: Arc<Mutex<Ledger>>,
    ahead: Arc<Semaphore>,
    stop: Arc<AtomicBool>,
}

/// So many rounds. Prints what came of each, and fails if anything that was acknowledged is lost.
pub(crate) async fn rounds<S: Mortal>(server: &mut S, rounds: u32) {
    let messages = server.open().await;
    println!("round  kill ms    taken  unsure  effects  lost  again  settled+again  away ms");
    let (ledger, mut all) = (Arc::<Mutex<Ledger>>::default(), Round::default());
    for number in 1..=rounds {
        let kill_after = Duration::from_millis(fastrand::u64(50..600));
        let round = round(server, &messages, &ledger, number, kill_after).await;
        println!("{number:>5} {:>8} {round}", kill_after.as_millis());
        all.taken += round.taken;
        all.unsure += round.unsure;
        all.effects += round.effects;
        all.lost += round.lost;
        all.again += round.again;
        all.settled += round.settled;
        all.away = all.away.max(round.away);
    }
    println!("{:>14} {all}", "all, worst");
    assert!(all.taken > 100 * rounds as usize, "that was no load: {all:?}");
    assert_eq!(all.lost, 0, "acknowledged, and lost");
    assert!(!S::REMEMBERS_SETTLEMENTS || all.settled == 0, "{all:?}");
}

async fn round(
    server: &mut impl Mortal,
    messages: &Messages,
    ledger: &Arc<Mutex<Ledger>>,
    number: u32,
    kill_after: Duration,
) -> Round {
    let fates = std::mem::take(&mut ledger.lock().fates);
    *ledger.lock() = Ledger { fates, ..Ledger::default() };
    let ledger = Arc::clone(ledger);
    let load = Load { ledger, ahead: Arc::new(Semaphore::new(AHEAD)), stop: Arc::default() };
    let mut consumers = JoinSet::new();
    for _ in 0..CONSUMERS {
        consumers.spawn(consume(channel(messages, "a", RULES_OF_ROUNDS).await, load.clone()));
    }
    let mut publishers = JoinSet::new();
    for who in 0..PUBLISHERS {
        publishers.spawn(publish(messages.clone(), number * NOTES + who * (NOTES / PUBLISHERS), load.clone()));
    }
    sleep(kill_after).await;
    server.kill().await;
    let killed = Instant::now();
    server.revive().await;
    let revived = Instant::now();
    let away = loop {
        // What came before was said before the kill.
        let taken_at = load.ledger.lock().taken_at;
        if let Some(at) = taken_at.filter(|&at| at > revived) {
            break at - killed;
        }
        assert!(revived.elapsed() < BACK, "nothing is taken after the kill");
        sleep(Duration::from_millis(1)).await;
    };
    sleep(Duration::from_millis(300)).await;
    load.stop.store(true, Ordering::Relaxed);
    timeout(BACK, publishers.join_all()).await.expect("publishers end");
    let drained = Instant::now() + BACK;
    while load.ledger.lock().lost(number) > 0 && Instant::now() < drained {
        sleep(Duration::from_millis(10)).await;
    }
    // Whatever was out at the kill comes again by now, if it does.
    sleep(Duration::from_millis(RULES_OF_ROUNDS.visibility_ms + 200)).await;
    consumers.abort_all();
    let ledger = load.ledger.lock();
    let (taken, effects) = (ledger.count(number, |fate| fate.taken), ledger.count(number, |fate| fate.effect));
    let Ledger { unsure, again, settled, .. } = *ledger;
    Round { taken, unsure, effects, lost: ledger.lost(number), again, settled, away }
}

async fn publish(messages: Messages, first: u32, load: Load) {
    for n in first.. {
        let Ok(ahead) = load.ahead.acquire().await else { return };
        ahead.forget();
        if load.stop.load(Ordering::Relaxed) {
            // So that the others come here, too.
            load.ahead.add_permits(1);
            return;
        }
        let taken = messages.publish(note(&n.to_string(), n)).await.is_ok();
        let mut ledger = load.ledger.lock();
        match taken {
            true => {
                ledger.fates.entry(n).or_default().taken = true;
                ledger.taken_at = Some(Instant::now());
            }
            false => {
                ledger.unsure += 1;
                load.ahead.add_permits(1);
            }
        }
    }
}

async fn consume(mut consumer: Consumer<Note>, load: Load) {
    while let Ok(delivery) = consumer.next().await {
        let n = delivery.message.n;
        {
            let mut ledger = load.ledger.lock();
            let fate = ledger.fates.entry(n).or_default();
            let (again, settled) = (fate.effect, fate.settled);
            fate.effect = true;
            ledger.again += usize::from(again);
            ledger.settled += usize::from(settled);
            if !again {
                load.ahead.add_permits(1);
            }
        }
        if delivery.ack().await.is_ok() {
            load.ledger.lock().fates.entry(n).or_default().settled = true;
        }
    }
}
