//! Whoever folds what it is told has the list, however slowly it reads and whenever it comes back.

use std::collections::BTreeMap;

use mainstay_contracts::registry::{Deregister, Fingerprint, InstanceId, Listed, Register, WatchFrame};
use proptest::prelude::*;
use tokio::sync::Semaphore;

use super::*;
use crate::Config;
use crate::clock::Time;
use crate::roster::Roster;

#[derive(Debug, Clone)]
enum Step {
    Register {
        id: u16,
        weight: u16,
    },
    Leave {
        id: u16,
    },
    /// Who is gone longest is forgotten.
    Forget,
    /// A reader reads so many lines.
    Read {
        reader: usize,
        lines: usize,
    },
    /// A reader comes back with its cursor.
    Return {
        reader: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0u16..6;
    let reader = || 0usize..3;
    prop_oneof![
        5 => (id(), 1u16..3).prop_map(|(id, weight)| Step::Register { id, weight }),
        3 => id().prop_map(|id| Step::Leave { id }),
        1 => Just(Step::Forget),
        4 => (reader(), 1usize..4).prop_map(|(reader, lines)| Step::Read { reader, lines }),
        1 => reader().prop_map(|reader| Step::Return { reader }),
    ]
}

/// What somebody has made of what it was told.
struct Reader {
    watcher: Watcher,
    seen: BTreeMap<InstanceId, Listed>,
    revision: u64,
}

impl Reader {
    fn new(views: &Arc<Views>) -> Self {
        let mut reader = Self { watcher: watch(views, None), seen: BTreeMap::new(), revision: 0 };
        reader.begin();
        reader
    }

    fn begin(&mut self) {
        let first = self.watcher.first();
        self.follow(&first);
    }

    fn come_back(&mut self, views: &Arc<Views>) {
        self.watcher = watch(views, Some(self.revision));
        self.begin();
    }

    fn read(&mut self, lines: usize) {
        match self.watcher.next(lines) {
            Since::Lines(lines, upto) => {
                lines.iter().for_each(|line| self.follow(line));
                self.revision = self.revision.max(upto);
            }
            Since::All(snapshot) => self.follow(&snapshot.line()),
        }
    }

    fn follow(&mut self, line: &[u8]) {
        let mut moved = |to: u64| {
            assert!(to >= self.revision, "{to} after {}", self.revision);
            self.revision = to;
        };
        match serde_json::from_slice(line).unwrap() {
            WatchFrame::Snapshot(all) => {
                moved(all.revision);
                self.seen = all.instances.into_iter().map(|listed| (listed.instance.id.clone(), listed)).collect();
            }
            WatchFrame::Resumed { revision, .. } => assert_eq!(revision, self.revision),
            WatchFrame::Changed { revision, listed } => {
                moved(revision);
                self.seen.insert(listed.instance.id.clone(), listed);
            }
            WatchFrame::Gone { revision, id, .. } => {
                moved(revision);
                self.seen.remove(&id);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn watch(views: &Arc<Views>, seen: Option<u64>) -> Watcher {
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    views.watch("ratings", seen, permit)
}

fn fold(views: &Views, roster: &mut Roster) -> Batch {
    let batch = roster.take_batch();
    views.fold(&batch, roster.revision());
    batch
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_of_a_watch_is_the_list(steps in prop::collection::vec(step(), 1..80)) {
        let mut roster = Roster::new(Config::default(), 1, 1, Time::default());
        let views = Arc::new(Views::new(1, 0));
        let mut readers = [0; 3].map(|_| Reader::new(&views));
        let mut graves = Vec::new();
        for step in steps {
            match step {
                Step::Register { id, weight } => {
                    let json = format!(
                        r#"{{"service":"ratings","id":"i{id}","address":"h:{}","weight":{weight}}}"#, id + 1
                    );
                    let call: Register = serde_json::from_str(&json).unwrap();
                    roster.register(call, Time::default()).unwrap();
                }
                Step::Leave { id } => {
                    let id: InstanceId = format!("i{id}").parse().unwrap();
                    let call = Deregister { service: "ratings".to_owned(), id: id.clone(), incarnation: None };
                    if let Ok(left) = roster.deregister(&call) {
                        graves.push(Grave { revision: left.revision, service: "ratings".into(), id });
                    }
                }
                Step::Forget if graves.is_empty() => {}
                Step::Forget => {
                    let forgotten = vec![graves.remove(0)];
                    views.fold(&Batch { forgotten, ..Batch::default() }, roster.revision());
                }
                Step::Read { reader, lines } => readers[reader].read(lines),
                Step::Return { reader } => readers[reader].come_back(&views),
            }
            fold(&views, &mut roster);
        }
        let listing = views.list("ratings").listing.clone();
        prop_assert_eq!(listing.revision, roster.revision());
        for reader in &mut readers {
            // Each piece ends further on, or is the end.
            for _ in 0..20 {
                reader.read(3);
            }
            let mut seen: Vec<_> = reader.seen.values().cloned().collect();
            seen.sort_by_key(|listed| listed.instance.number);
            prop_assert_eq!(&seen, &listing.instances);
            let Some(bookmark) = reader.watcher.bookmark() else { panic!("there is more") };
            let fingerprint = Fingerprint::of(&seen);
            let revision = roster.revision();
            prop_assert_eq!(
                serde_json::from_slice::<WatchFrame>(&bookmark).unwrap(),
                WatchFrame::Bookmark { revision, fingerprint }
            );
        }
    }
}
