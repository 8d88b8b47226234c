use std::fs;

use tempfile::TempDir;

use super::*;
use crate::clock::Time;
use crate::kv::{At, Behavior, Kv, On, Put};
use crate::store::{Changes, Opened, Store};
use crate::{Config, KvLimits};

/// Keys and sessions, and where they are kept.
struct Kept {
    kv: Kv,
    revision: u64,
    store: Store,
    opened: Opened,
}

impl Kept {
    async fn open(dir: &TempDir, now: u64) -> Self {
        let (store, opened) = Store::open(dir.path(), now).await.unwrap();
        let mut kv = Kv::new(KvLimits::default());
        kv.restore(opened.kv.clone(), Config::default().grace, Time::default());
        // What was kept is kept already.
        kv.take_batch();
        Self { kv, revision: opened.revision, store, opened }
    }

    async fn with<T>(&mut self, done: impl FnOnce(&mut Kv, &mut At<'_>) -> T) -> T {
        let done = done(&mut self.kv, &mut At { now: Time::default(), revision: &mut self.revision });
        let changes = Changes { kv: self.kv.take_batch(), ..Changes::default() };
        self.store.commit(&Arc::new(changes), self.revision).await.unwrap();
        done
    }

    async fn put(&mut self, key: &str, value: &[u8], on: On) -> bool {
        let put = Put { value: bytes::Bytes::copy_from_slice(value), flags: u64::MAX, on };
        self.with(|kv, at| kv.put(key, put, at)).await.unwrap()
    }

    async fn session(&mut self, id: &str) {
        let (name, node) = ("n".to_owned(), "däwn".to_owned());
        let (ttl, lock_delay) = (Some(Duration::from_secs(10)), Duration::from_secs(15));
        let terms = Terms { name, node, ttl, behavior: Behavior::Delete, lock_delay };
        self.with(|kv, at| kv.open(id.into(), terms, at)).await.unwrap();
    }

    fn keys(&self) -> Vec<(&str, u64, Option<&str>)> {
        let keys = self.opened.kv.keys.iter();
        let mut keys: Vec<_> = keys.map(|(key, entry)| (&**key, entry.modified, entry.session.as_deref())).collect();
        keys.sort_unstable();
        keys
    }
}

/// As a crash leaves it: nothing is moved from the log to the database.
fn crashed(dir: &TempDir) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in ["registry.db", "registry.db-wal"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[tokio::test]
async fn a_process_that_is_killed_keeps_keys_locks_sessions_and_delays() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    kept.session("s1").await;
    kept.session("s2").await;
    kept.put("plain", b"\xff\x00any bytes", On::Always).await;
    kept.put("held", b"", On::Acquire("s1".into())).await;
    kept.put("left", b"", On::Acquire("s2".into())).await;
    kept.with(|kv, at| kv.end("s2", at)).await;
    let copy = crashed(&dir);
    let mut kept = Kept::open(&copy, 8).await;
    assert_eq!((&kept.opened.damage, kept.opened.epoch, kept.revision), (&None, 7, 7));
    assert_eq!(kept.keys(), [("held", 4, Some("s1")), ("plain", 3, None)]);
    let plain = kept.opened.kv.keys.iter().find(|(key, _)| &**key == "plain").map(|(_, entry)| Arc::clone(entry));
    let plain = plain.unwrap();
    assert_eq!((&plain.value[..], plain.flags, plain.created), (&b"\xff\x00any bytes"[..], u64::MAX, 3));
    assert_eq!(kept.opened.kv.graves, [Grave { revision: 6, key: "left".into() }]);
    assert_eq!(kept.opened.kv.sessions.iter().map(|(id, at, _)| (&**id, *at)).collect::<Vec<_>>(), [("s1", 1)]);
    assert_eq!(kept.opened.kv.sessions[0].2.node, "däwn");
    assert_eq!(kept.opened.kv.delays, [("left".into(), Duration::from_secs(15))]);
    assert_eq!((kept.opened.kv.sessions_at, kept.opened.kv.highest), (7, 7));
    assert!(!kept.put("left", b"", On::Acquire("s1".into())).await, "its delay begins anew");
    assert!(kept.put("held", b"", On::Acquire("s1".into())).await, "its holder has it");
    assert!(kept.put("left", b"", On::Always).await);
    assert_eq!(kept.revision, 8, "revisions go on");
}

#[tokio::test]
async fn who_is_forgotten_and_what_is_over_is_not_kept() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    kept.put("a", b"", On::Always).await;
    kept.with(|kv, at| kv.delete("a", None, at)).await;
    kept.put("b", b"", On::Always).await;
    let delayed = |delay| Batch { changes: vec![Change::Delayed("a".into(), delay)], ..Batch::default() };
    let forgotten = vec![Grave { revision: 2, key: "a".into() }, Grave { revision: 3, key: "b".into() }];
    for kv in [delayed(Some(Duration::from_secs(1))), delayed(None), Batch { forgotten, ..Batch::default() }] {
        kept.store.commit(&Arc::new(Changes { kv, ..Changes::default() }), 3).await.unwrap();
    }
    kept.store.close().await;
    let kept = Kept::open(&dir, 8).await;
    assert_eq!(kept.keys(), [("b", 3, None)], "what is there is never forgotten");
    assert_eq!((kept.opened.kv.graves.len(), kept.opened.kv.delays.len(), kept.opened.kv.forgotten), (0, 0, 3));
    assert_eq!(kept.opened.damage, None);
}

#[tokio::test]
async fn a_key_that_is_not_what_was_written_is_told_and_left_out() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    kept.session("s1").await;
    for number in 0..50 {
        kept.put(&format!("key{number}"), format!("value<{number}>").as_bytes(), On::Always).await;
    }
    kept.put("held", b"", On::Acquire("s1".into())).await;
    kept.store.close().await;
    let path = dir.path().join("registry.db");
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(9).rposition(|window| window == b"value<17>").unwrap();
    bytes[place] = b'V';
    fs::write(&path, bytes).unwrap();
    let kept = Kept::open(&dir, 8).await;
    let what = kept.opened.damage.as_ref().map(|damage| damage.what.as_str());
    assert_eq!((what, kept.opened.epoch), (Some("1 rows are not what was written"), 8));
    assert_eq!((kept.keys().len(), kept.revision), (50, 52), "the others are taken over, and revisions go on");
    kept.store.close().await;
    let kept = Kept::open(&dir, 9).await;
    assert_eq!((kept.keys().len(), &kept.opened.damage), (50, &None), "taken over, it is sound");
    assert_eq!((kept.opened.kv.sessions.len(), kept.opened.kv.forgotten), (1, 52));
    assert!(kept.keys().contains(&("held", 52, Some("s1"))));
}

#[tokio::test]
async fn a_change_whose_row_is_lost_is_missed() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    kept.put("a", b"", On::Always).await;
    kept.put("b", b"", On::Always).await;
    kept.store.close().await;
    let db = Connection::open(dir.path().join("registry.db")).unwrap();
    db.execute("DELETE FROM kv WHERE key = 'b'", ()).unwrap();
    drop(db);
    let damage = Kept::open(&dir, 8).await.opened.damage.unwrap();
    assert!(damage.what.contains("should be that of revision 2"), "{damage:?}");
}
