//! The roster against a model that knows no wheel, no index and no lease.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Register { id: u8, port: u16, incarnation: Option<u64>, number: Option<u32>, hold: bool },
    Beat { id: u8 },
    Leave { id: u8, incarnation: Option<u64> },
    Drop { hold: u64 },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0u8..4;
    let incarnation = || prop::option::of(1u64..5);
    let number = prop::option::weighted(0.3, 1u32..5);
    prop_oneof![
        5 => (id(), 1u16..5, incarnation(), number, any::<bool>()).prop_map(
            |(id, port, incarnation, number, hold)| Step::Register { id, port, incarnation, number, hold }
        ),
        3 => id().prop_map(|id| Step::Beat { id }),
        1 => (id(), incarnation()).prop_map(|(id, incarnation)| Step::Leave { id, incarnation }),
        1 => (1u64..20).prop_map(|hold| Step::Drop { hold }),
        3 => (1u64..60).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What the model knows of an instance: its last beat says everything about its presence.
#[derive(Debug, Clone)]
struct Known {
    id: String,
    number: u32,
    port: u16,
    incarnation: u64,
    hold: Option<u64>,
    beaten: u64,
}

#[derive(Debug, Default)]
struct Model {
    now: u64,
    known: Vec<Known>,
}

impl Model {
    fn silent(&self, known: &Known) -> bool {
        self.now >= known.beaten + 15
    }

    fn register(&mut self, id: &str, port: u16, said: Option<u64>, number: Option<u32>, made: u64) -> Result<(), Kind> {
        let old = self.known.iter().find(|known| known.id == id).cloned();
        let incarnation = said.or(old.as_ref().map(|old| old.incarnation)).unwrap_or(made);
        if old.as_ref().is_some_and(|old| old.incarnation > incarnation) {
            return Err(Kind::Conflict);
        }
        let other = self.known.iter().find(|known| known.id != id && known.port == port).cloned();
        if other.as_ref().is_some_and(|other| !self.silent(other) && other.incarnation >= incarnation) {
            return Err(Kind::Conflict);
        }
        let rest: Vec<Known> =
            self.known.iter().filter(|known| known.id != id && known.port != port).cloned().collect();
        let free = |number: &u32| rest.iter().all(|known| known.number != *number);
        let lowest = || (1..).find(|number| self.known.iter().all(|known| known.number != *number)).unwrap();
        let number = number.or(old.or(other).map(|known| known.number)).unwrap_or_else(lowest);
        if !free(&number) {
            return Err(Kind::Conflict);
        }
        self.known = rest;
        self.known.push(Known { id: id.to_owned(), number, port, incarnation, hold: None, beaten: self.now });
        Ok(())
    }

    fn listing(&self) -> Vec<(String, u32, u16, u64, Presence)> {
        let presence = |known| if self.silent(known) { Presence::Silent } else { Presence::Up };
        let mut rows: Vec<_> = self
            .known
            .iter()
            .map(|known| (known.id.clone(), known.number, known.port, known.incarnation, presence(known)))
            .collect();
        rows.sort_by_key(|row| row.1);
        rows
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_roster_does_what_the_model_does(steps in prop::collection::vec(step(), 1..80)) {
        let (mut board, start) = Board::unguarded();
        let mut model = Model::default();
        for step in steps {
            let now = start + Duration::from_secs(model.now);
            match step.clone() {
                Step::Register { id, port, incarnation, number, hold } => {
                    let id = format!("i{id}");
                    let call = Register { number, incarnation, ..call(&id, port) };
                    let before = model.known.iter().find(|known| known.id == id).cloned();
                    let expected = model.register(&id, port, incarnation, number, 1_000 + model.now * 1_000_000);
                    let (done, hold) = if hold {
                        let held = board.roster.hold(call, now);
                        (held.clone().map(|_| ()), held.ok().map(|(_, hold)| hold))
                    } else {
                        (board.roster.register(call, now).map(|_| ()), None)
                    };
                    prop_assert_eq!(done.map_err(|refused| refused.kind), expected, "{:?}", step);
                    if expected.is_ok() && let Some(known) = model.known.last_mut() {
                        let same = before.filter(|before| before.incarnation == known.incarnation);
                        known.hold = hold.or(same.and_then(|before| before.hold));
                    }
                }
                Step::Beat { id } => {
                    let id = format!("i{id}");
                    if let Some(known) = model.known.iter_mut().find(|known| known.id == id) {
                        known.beaten = model.now;
                        board.beat(&id, now);
                    }
                }
                Step::Leave { id, incarnation } => {
                    let id = format!("i{id}");
                    let expected = match model.known.iter().position(|known| known.id == id) {
                        None => Err(Kind::Unknown),
                        Some(at) if incarnation.is_some_and(|said| said < model.known[at].incarnation) => {
                            Err(Kind::Conflict)
                        }
                        Some(at) => {
                            model.known.remove(at);
                            Ok(())
                        }
                    };
                    let done = board.roster.deregister(&leave(&id, incarnation));
                    prop_assert_eq!(done.map(|_| ()).map_err(|refused| refused.kind), expected);
                }
                Step::Drop { hold } => {
                    for id in 0..4 {
                        board.roster.let_go(&board.held(&format!("i{id}")), hold, true);
                    }
                    model.known.retain(|known| known.hold != Some(hold));
                }
                Step::Pass { seconds } => {
                    // Beyond the second, as nothing is noticed to the instant.
                    board.pass(now, now + Duration::from_secs(seconds) + Duration::from_millis(500));
                    model.now += seconds;
                    let clock = model.now;
                    model.known.retain(|known| clock < known.beaten + 105);
                }
            }
            board.follow();
            let row = |listed: &Listed| {
                let Instance { id, number, address, incarnation, .. } = &listed.instance;
                (id.to_string(), *number, address.port(), *incarnation, listed.presence)
            };
            let mut rows: Vec<_> = board.rows.values().map(|kept| row(&kept.listed)).collect();
            rows.sort_by_key(|row| row.1);
            prop_assert_eq!(rows, model.listing(), "{:?}", step);
            prop_assert_eq!(board.roster.leases.len(), model.known.len(), "a lease each");
        }
    }
}
