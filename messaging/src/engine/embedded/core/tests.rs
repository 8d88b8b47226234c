use std::time::Duration;

use futures_util::FutureExt as _;
use mainstay::contracts::hub::Verdict;

use super::*;

const RULES: Rules = Rules { visibility_ms: 1_000, tries: 3, backoff_ms: 200, kept: true };

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn place() -> Place {
    Place { topic: "t".to_owned(), channel: "a".to_owned() }
}

/// A core whose channel `a` was declared, and whatever is to be written is.
struct World {
    core: Core,
    start: Instant,
}

impl World {
    fn new(rules: Rules) -> Self {
        let (mut core, start) = (Core::new(Limits::default(), 1), Instant::now());
        let declared = core.declare(&place(), rules, start).unwrap().unwrap();
        core.declared(&place(), declared, start);
        Self { core, start }
    }

    fn publish(&mut self, id: &str) {
        let body = serde_json::value::to_raw_value(&7).unwrap();
        let (topic, id) = ("t".to_owned(), id.to_owned());
        let message = Arc::new(Envelope { id, topic, to: None, correlation: None, reply_to: None, body });
        let admission = self.core.admit(&message).unwrap();
        self.core.push(admission, &message);
    }

    /// The receipts and attempts of what is there after so many milliseconds.
    fn take(&mut self, at: u64) -> Vec<(String, u32)> {
        let Handed { taken, channel, run, .. } = self.core.take(&place(), 9, self.start + ms(at)).unwrap();
        let receipt = |taken: &Taken| Receipt { channel, run, seq: taken.seq, delivery: taken.delivery }.to_string();
        taken.iter().map(|taken| (receipt(taken), taken.attempt)).collect()
    }

    fn settle(&mut self, at: u64, receipt: &str, verdict: Verdict) -> bool {
        let settlement = Settlement { receipt: receipt.to_owned(), verdict };
        let (counts, change) = self.core.settle(&place(), &settlement, self.start + ms(at)).unwrap();
        change.iter().for_each(|change| self.core.wrote(change, None));
        counts
    }

    fn expire(&mut self, at: u64) -> Vec<Write> {
        let changes = self.core.expire(self.start + ms(at));
        changes.iter().for_each(|change| self.core.wrote(change, None));
        changes.into_iter().map(|change| change.write).collect()
    }

    fn next_due(&mut self) -> Option<Duration> {
        self.core.next_due().map(|at| at - self.start)
    }
}

#[test]
fn what_is_not_settled_in_time_is_delivered_again_and_the_first_receipt_counts_no_more() {
    let mut world = World::new(RULES);
    world.publish("1");
    let first = world.take(0);
    assert_eq!((first[0].1, world.take(999).len(), world.next_due()), (1, 0, Some(ms(1_000))));
    assert_eq!(world.expire(999), []);
    assert_eq!(world.expire(1_000), [Write::Tries(1)]);
    let second = world.take(1_000);
    assert_eq!(second[0].1, 2);
    assert!(!world.settle(1_001, &first[0].0, Verdict::Ack), "somebody else has it");
    assert!(world.settle(1_002, &second[0].0, Verdict::Ack));
    assert!(world.settle(1_003, &first[0].0, Verdict::Ack), "it is done, whoever did it");
    assert_eq!(world.next_due(), None);
}

#[test]
fn a_late_settlement_counts_while_nobody_else_has_the_message() {
    let mut world = World::new(RULES);
    world.publish("1");
    let first = world.take(0);
    world.expire(1_000);
    assert!(world.settle(1_500, &first[0].0, Verdict::Ack));
    assert_eq!(world.take(9_000), []);
}

#[test]
fn who_extends_has_as_long_again_from_now() {
    let mut world = World::new(RULES);
    world.publish("1");
    let first = world.take(0);
    assert!(world.settle(900, &first[0].0, Verdict::Extend));
    assert_eq!((world.expire(1_899), world.next_due()), (vec![], Some(ms(1_900))));
    assert_eq!(world.expire(1_900), [Write::Tries(1)]);
}

#[test]
fn what_fails_waits_twice_as_long_each_time_and_is_buried_in_the_end() {
    let mut world = World::new(RULES);
    world.publish("1");
    let mut now = 0;
    for (attempt, wait) in [(1, 200), (2, 400)] {
        let taken = world.take(now);
        assert_eq!(taken[0].1, attempt);
        assert!(world.settle(now, &taken[0].0, Verdict::Nack));
        assert_eq!((world.expire(now + wait - 1), world.take(now + wait - 1)), (vec![], vec![]));
        now += wait;
        assert_eq!(world.expire(now), []);
    }
    let last = world.take(now);
    assert!(world.settle(now, &last[0].0, Verdict::Nack));
    let view = &world.core.view()[0].channels;
    assert_eq!(
        view.iter().map(|channel| (&*channel.channel, channel.waiting)).collect::<Vec<_>>(),
        [("a", 0), ("dead-a", 1)]
    );
}

#[test]
fn a_message_that_nobody_settles_is_buried_after_as_many_tries() {
    let mut world = World::new(RULES);
    world.publish("1");
    for (at, write) in [(1_000, Write::Tries(1)), (2_000, Write::Tries(2)), (3_000, Write::Bury)] {
        assert_eq!(world.take(at - 1_000).len(), 1);
        assert_eq!(world.expire(at), [write]);
    }
}

#[test]
fn foreign_receipts_settle_nothing() {
    let mut world = World::new(RULES);
    world.publish("1");
    let taken = world.take(0);
    let Receipt { channel, run, seq, delivery } = taken[0].0.parse().unwrap();
    for (foreign, counts) in [
        ("nonsense".to_owned(), false),
        (format!("{channel}-{run}-7-{delivery}"), false),
        (format!("{channel}-{run}-{seq}-{}", delivery + 1), false),
        (format!("{channel}-{}-{seq}-{delivery}", run - 1), false),
        (format!("{}-{run}-{seq}-{delivery}", channel + 1), false),
    ] {
        assert_eq!(world.settle(1, &foreign, Verdict::Ack), counts, "{foreign}");
    }
    assert_eq!(world.core.view()[0].channels[0].waiting, 1);
}

#[test]
fn no_more_are_out_than_may_be() {
    let mut world = World::new(RULES);
    world.core.limits.in_flight = 2;
    let declared =
        world.core.declare(&Place { channel: "b".to_owned(), ..place() }, RULES, world.start).unwrap().unwrap();
    world.core.declared(&Place { channel: "b".to_owned(), ..place() }, declared, world.start);
    ["1", "2", "3"].into_iter().for_each(|id| world.publish(id));
    let b = Place { channel: "b".to_owned(), ..place() };
    let Handed { taken, arrived, .. } = world.core.take(&b, 9, world.start).unwrap();
    assert!(arrived.notified().now_or_never().is_some(), "three have come");
    assert_eq!((taken.len(), world.core.take(&b, 9, world.start).unwrap().taken.len()), (2, 0));
    assert!(arrived.notified().now_or_never().is_none(), "nobody is told of what may not go out");
}
