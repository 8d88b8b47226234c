//! Keys, sessions and locks against a model that has no wheel, no index and no shortcut.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Put { key: u8, value: u8, on: Demand },
    Delete { key: u8, unchanged: Option<u64> },
    DeleteUnder { prefix: u8 },
    Open { ttl: Option<u64>, delete: bool, delay: u64 },
    Renew { session: usize },
    End { session: usize },
    Pass { seconds: u64 },
}

#[derive(Debug, Clone)]
enum Demand {
    Always,
    /// What its revision is, or another one.
    Unchanged {
        wrong: bool,
    },
    Acquire(usize),
    Release(usize),
}

const KEYS: [&str; 4] = ["a", "a/b", "a/c", "b"];

fn step() -> impl Strategy<Value = Step> {
    let (key, session) = (|| 0u8..4, || 1usize..6);
    let on = prop_oneof![
        1 => Just(Demand::Always),
        1 => any::<bool>().prop_map(|wrong| Demand::Unchanged { wrong }),
        4 => session().prop_map(Demand::Acquire),
        1 => session().prop_map(Demand::Release),
    ];
    prop_oneof![
        8 => (key(), 0u8..3, on).prop_map(|(key, value, on)| Step::Put { key, value, on }),
        1 => (key(), prop::option::of(0u64..30)).prop_map(|(key, unchanged)| Step::Delete { key, unchanged }),
        1 => key().prop_map(|prefix| Step::DeleteUnder { prefix }),
        3 => (prop::option::of(10u64..40), any::<bool>(), 0u64..20)
            .prop_map(|(ttl, delete, delay)| Step::Open { ttl, delete, delay }),
        2 => session().prop_map(|session| Step::Renew { session }),
        1 => session().prop_map(|session| Step::End { session }),
        4 => (1u64..20).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What the model knows of a key.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    value: String,
    session: Option<String>,
    lock_index: u64,
    created: u64,
    modified: u64,
}

#[derive(Debug, Default)]
struct Model {
    /// Milliseconds.
    now: u64,
    revision: u64,
    keys: BTreeMap<String, Known>,
    /// When each was deleted last.
    deleted: BTreeMap<String, u64>,
    /// Until when each cannot be locked.
    delays: BTreeMap<String, u64>,
    /// Time to live, delete, delay, renewed.
    sessions: BTreeMap<String, (Option<u64>, bool, u64, u64)>,
    opened: usize,
}

impl Model {
    fn put(&mut self, key: &str, value: String, on: &On) -> Result<bool, Kind> {
        let before = self.keys.get(key).cloned();
        let (mut session, mut lock_index) =
            before.as_ref().map_or((None, self.deleted.get(key).copied().unwrap_or_default()), |known| {
                (known.session.clone(), known.lock_index)
            });
        let is_so = match on {
            On::Always => true,
            On::Unchanged(revision) => before.as_ref().map(|known| known.modified) == *revision,
            On::Acquire(id) if !self.sessions.contains_key(&**id) => return Err(Kind::Unknown),
            On::Acquire(id) if session.as_deref() == Some(&**id) => true,
            On::Acquire(id) => {
                let free = session.is_none() && self.delays.get(key).is_none_or(|until| *until <= self.now);
                if free {
                    session = Some(id.to_string());
                    lock_index += 1;
                }
                free
            }
            On::Release(id) => session.take_if(|session| *session == **id).is_some(),
        };
        if !is_so {
            return Ok(false);
        }
        let mut known = Known { value, session, lock_index, created: 0, modified: 0 };
        if let Some(before) = &before {
            (known.created, known.modified) = (before.created, before.modified);
        }
        if before.as_ref() != Some(&known) {
            self.revision += 1;
            known.modified = self.revision;
            known.created = before.map_or(self.revision, |before| before.created);
            self.keys.insert(key.to_owned(), known);
        }
        Ok(true)
    }

    fn remove(&mut self, key: &str) {
        if self.keys.remove(key).is_some() {
            self.revision += 1;
            self.deleted.insert(key.to_owned(), self.revision);
        }
    }

    fn end(&mut self, id: &str) {
        let Some((_, delete, delay, _)) = self.sessions.remove(id) else { return };
        for key in KEYS {
            if self.keys.get(key).is_none_or(|known| known.session.as_deref() != Some(id)) {
                continue;
            }
            if delete {
                self.remove(key);
            } else if let Some(known) = self.keys.get_mut(key) {
                self.revision += 1;
                (known.session, known.modified) = (None, self.revision);
            }
            self.delays.insert(key.to_owned(), self.now + delay * S);
        }
        self.revision += 1;
    }

    fn expire(&mut self) {
        // It is found when its slot is over.
        let slot = self.now / 64 * 64;
        let due = self.sessions.iter().filter_map(|(id, (ttl, _, _, renewed))| Some((renewed + (*ttl)? * S + S, id)));
        let mut over: Vec<_> = due.filter(|(due, _)| *due < slot).map(|(due, id)| (due, id.clone())).collect();
        over.sort();
        over.iter().for_each(|(_, id)| self.end(id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn keys_and_sessions_do_what_the_model_does(steps in prop::collection::vec(step(), 1..80)) {
        let (mut bench, mut model) = (Bench::default(), Model::default());
        let mut revisions: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        let mut locks: BTreeMap<String, (u64, Option<String>)> = BTreeMap::new();
        for step in steps {
            match step.clone() {
                Step::Put { key, value, on } => {
                    let key = KEYS[usize::from(key)];
                    let modified = model.keys.get(key).map(|known| known.modified);
                    let on = match on {
                        Demand::Always => On::Always,
                        Demand::Unchanged { wrong: true } => On::Unchanged(Some(modified.unwrap_or_default() + 1)),
                        Demand::Unchanged { wrong: false } => On::Unchanged(modified),
                        Demand::Acquire(session) => On::Acquire(format!("s{session}").into()),
                        Demand::Release(session) => On::Release(format!("s{session}").into()),
                    };
                    let expected = model.put(key, value.to_string(), &on);
                    let done = bench.put(key, &value.to_string(), on);
                    prop_assert_eq!(done.map_err(|refused| refused.kind), expected, "{:?}", step);
                }
                Step::Delete { key, unchanged } => {
                    let key = KEYS[usize::from(key)];
                    let modified = model.keys.get(key).map(|known| known.modified);
                    let expected = unchanged.is_none() || modified.is_none() || modified == unchanged;
                    if expected {
                        model.remove(key);
                    }
                    prop_assert_eq!(bench.delete(key, unchanged), expected, "{:?}", step);
                }
                Step::DeleteUnder { prefix } => {
                    let prefix = KEYS[usize::from(prefix)];
                    KEYS.iter().filter(|key| key.starts_with(prefix)).for_each(|key| model.remove(key));
                    bench.delete_under(prefix);
                }
                Step::Open { ttl, delete, delay } => {
                    let behavior = if delete { Behavior::Delete } else { Behavior::Release };
                    let (span, lock_delay) = (ttl.map(Duration::from_secs), Duration::from_secs(delay));
                    let id = bench.open(Terms { ttl: span, behavior, lock_delay, ..terms(0) });
                    model.opened += 1;
                    model.revision += 1;
                    prop_assert_eq!(&*id, &format!("s{}", model.opened));
                    model.sessions.insert(id.to_string(), (ttl, delete, delay, model.now));
                }
                Step::Renew { session } => {
                    let id = format!("s{session}");
                    let known = model.sessions.get_mut(&id).map(|known| known.3 = model.now);
                    prop_assert_eq!(bench.renew(&id).is_ok(), known.is_some(), "{:?}", step);
                }
                Step::End { session } => {
                    model.end(&format!("s{session}"));
                    bench.end(&format!("s{session}"));
                }
                Step::Pass { seconds } => {
                    for _ in 0..seconds * 10 {
                        model.now += 100;
                        bench.pass_to(model.now);
                        model.expire();
                    }
                }
            }
            let known: BTreeMap<String, Known> = bench.board.under("").what.iter().map(|(key, entry)| {
                let Entry { value, session, lock_index, created, modified, .. } = Entry::clone(entry);
                let (value, session) = (String::from_utf8(value.to_vec()).unwrap(), session.map(|id| id.to_string()));
                (key.to_string(), Known { value, session, lock_index, created, modified })
            }).collect();
            prop_assert_eq!(&known, &model.keys, "{:?}", step);
            for (key, Known { lock_index, session, .. }) in &known {
                let Some(session) = session else { continue };
                let (highest, holder) = locks.get(key).cloned().unwrap_or_default();
                let is_new = holder.as_ref() != Some(session);
                prop_assert!(*lock_index > highest || !is_new && *lock_index == highest, "{:?}: {} is not fenced", step, key);
                locks.insert(key.clone(), (*lock_index, Some(session.clone())));
            }
            let ids: Vec<String> = bench.board.sessions().what.iter().map(|session| session.id.to_string()).collect();
            let mut expected: Vec<String> = model.sessions.keys().cloned().collect();
            expected.sort();
            prop_assert_eq!(ids, expected, "{:?}", step);
            prop_assert_eq!(bench.revision, model.revision, "{:?}", step);
            prop_assert_eq!(bench.kv.bytes, model.keys.iter().map(|(key, known)| key.len() + known.value.len()).sum::<usize>());
            let held = bench.kv.sessions.values().map(|open| open.keys.len()).sum::<usize>();
            prop_assert_eq!(held, model.keys.values().filter(|known| known.session.is_some()).count());
            for key in KEYS {
                let now = (bench.board.key(key).revision, bench.board.under(key).revision);
                let before = revisions.entry(key).or_insert((0, 0));
                prop_assert!(now.0 >= before.0 && now.1 >= before.1, "the revision of {} went back", key);
                *before = now;
            }
        }
    }
}
