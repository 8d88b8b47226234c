mod checked;

use std::fs;
use std::path::PathBuf;

use mainstay_contracts::registry::{Deregister, InstanceId, Register};
use tempfile::TempDir;

use super::*;
use crate::Config;
use crate::clock::Time;
use crate::roster::{Batch, Roster};

/// A roster and where it is kept.
struct Kept {
    roster: Roster,
    store: Store,
    opened_with: usize,
    damage: Option<Damage>,
    epoch: u64,
}

impl Kept {
    async fn open(dir: &TempDir, now: u64) -> Self {
        let (store, opened) = Store::open(dir.path(), now).await.unwrap();
        let mut roster = Roster::new(Config::default(), opened.epoch, 1_000, Time::default());
        let opened_with = opened.listed.len();
        roster.restore(opened.revision, opened.listed, opened.gone, Time::default());
        Self { roster, store, opened_with, damage: opened.damage, epoch: opened.epoch }
    }

    async fn register(&mut self, id: &str, port: u16) {
        let json = format!(r#"{{"service":"ratings","id":"{id}","address":"127.0.0.1:{port}","zone":"däwn"}}"#);
        let call: Register = serde_json::from_str(&json).unwrap();
        self.roster.register(call, Time::default()).unwrap();
        self.commit().await;
    }

    async fn leave(&mut self, id: &str) {
        let call = Deregister { service: "ratings".to_owned(), id: id.parse().unwrap(), incarnation: None };
        self.roster.deregister(&call).unwrap();
        self.commit().await;
    }

    async fn commit(&mut self) {
        let changes = Changes { roster: self.roster.take_batch(), ..Changes::default() };
        self.store.commit(&Arc::new(changes), self.roster.revision()).await.unwrap();
    }

    /// The ids that a roster begins with, and the revision of each; of those who are gone too.
    fn begins_with(&mut self) -> Vec<(String, u64, bool)> {
        let batch = self.roster.take_batch();
        let mut rows: Vec<_> = batch
            .changes
            .iter()
            .map(|change| (change.id.to_string(), change.revision, change.row().is_some()))
            .collect();
        rows.sort_by_key(|row| row.1);
        rows
    }

    /// Ends it, and waits until the file is free.
    async fn close(self) {
        self.store.close().await;
    }
}

fn database(dir: &TempDir) -> PathBuf {
    dir.path().join("registry.db")
}

/// As a crash leaves it: nothing is moved from the log to the database.
async fn crashed(dir: &TempDir, ids: impl IntoIterator<Item = u16>) -> TempDir {
    let mut kept = Kept::open(dir, 7).await;
    for id in ids {
        kept.register(&format!("r{id}"), id).await;
    }
    let copy = TempDir::new().unwrap();
    for name in ["registry.db", "registry.db-wal"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_was_committed_is_there_again_with_its_revisions() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    for (id, port) in [("a", 1), ("b", 2), ("c", 3)] {
        kept.register(id, port).await;
    }
    kept.leave("b").await;
    kept.close().await;
    let mut kept = Kept::open(&dir, 8).await;
    assert_eq!((kept.epoch, kept.roster.revision(), &kept.damage), (7, 4, &None));
    let row = |id: &str, revision, listed| (id.to_owned(), revision, listed);
    assert_eq!(kept.begins_with(), [row("a", 1, true), row("c", 3, true), row("b", 4, false)]);
    kept.register("b", 2).await;
    assert_eq!(kept.roster.revision(), 5);
    kept.close().await;
    assert_eq!(Kept::open(&dir, 9).await.opened_with, 3);
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let copy = crashed(&dir, 1..=20).await;
    let kept = Kept::open(&copy, 8).await;
    assert_eq!((kept.opened_with, kept.epoch, kept.damage), (20, 7, None));
}

#[tokio::test]
async fn an_end_that_was_being_written_is_no_damage() {
    let dir = TempDir::new().unwrap();
    let copy = crashed(&dir, 1..=20).await;
    let log = copy.path().join("registry.db-wal");
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() - 1000]).unwrap();
    let kept = Kept::open(&copy, 8).await;
    assert_eq!((kept.opened_with, kept.damage), (19, None), "of the last one nobody was told");
}

#[tokio::test]
async fn a_log_that_is_damaged_in_its_middle_is_told() {
    let dir = TempDir::new().unwrap();
    let copy = crashed(&dir, 1..=20).await;
    let log = copy.path().join("registry.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&log, bytes).unwrap();
    let kept = Kept::open(&copy, 8).await;
    let damage = kept.damage.unwrap();
    assert!(damage.what.contains("its log is damaged after"), "{damage:?}");
    assert!(damage.sound > 0 && damage.sound < 20, "{damage:?}");
    assert_eq!((kept.epoch, kept.opened_with), (8, damage.sound), "what nobody can follow is another life");
    assert!(damage.kept_at.exists());
    // Taken over, it is sound.
    kept.store.close().await;
    let kept = Kept::open(&copy, 9).await;
    assert_eq!((kept.epoch, kept.opened_with, kept.damage), (8, damage.sound, None));
}

#[tokio::test]
async fn a_row_that_is_not_what_was_written_is_told_and_left_out() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    for port in 1..=50 {
        kept.register(&format!("r{port}"), port).await;
    }
    kept.close().await;
    let path = database(&dir);
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(7).rposition(|window| window == "\"r17\",\"".as_bytes()).unwrap();
    bytes[place + 2] = b'9';
    fs::write(&path, bytes).unwrap();
    let mut kept = Kept::open(&dir, 8).await;
    let damage = kept.damage.clone().unwrap();
    assert_eq!((damage.what.as_str(), damage.sound), ("1 rows are not what was written", 49));
    let ids = kept.begins_with();
    assert!(ids.iter().all(|(id, ..)| id != "r17" && id != "r97"), "{ids:?}");
    assert_eq!(kept.roster.revision(), 50, "revisions do not go back, in another life either");
}

#[tokio::test]
async fn around_a_page_that_cannot_be_read_the_rest_is_taken_over() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    for port in 1..=500 {
        kept.register(&format!("r{port}"), port).await;
    }
    kept.close().await;
    let path = database(&dir);
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0xaa);
    fs::write(&path, bytes).unwrap();
    let kept = Kept::open(&dir, 8).await;
    let damage = kept.damage.unwrap();
    assert!(damage.sound > 300 && damage.sound < 500, "{damage:?}");
}

#[tokio::test]
async fn nothing_is_taken_for_something() {
    for (bytes, what) in [(&b""[..], "it is empty"), (&[0x55; 8192][..], "not a database")] {
        let dir = TempDir::new().unwrap();
        fs::write(database(&dir), bytes).unwrap();
        let kept = Kept::open(&dir, 8).await;
        let damage = kept.damage.unwrap();
        assert!(damage.what.contains(what) && damage.sound == 0, "{damage:?}");
        assert!(fs::read(&damage.kept_at).unwrap() == bytes);
    }
}

#[tokio::test]
async fn another_programs_database_is_left_alone_and_a_second_registry_refused() {
    let dir = TempDir::new().unwrap();
    Connection::open(database(&dir)).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    let before = fs::read(database(&dir)).unwrap();
    let refused = Store::open(dir.path(), 1).await.unwrap_err().to_string();
    assert!(refused.ends_with("registry.db is another program's database"), "{refused}");
    assert!(fs::read(database(&dir)).unwrap() == before, "it was written to");

    let dir = TempDir::new().unwrap();
    let _first = Kept::open(&dir, 1).await;
    let refused = Store::open(dir.path(), 1).await.unwrap_err().to_string();
    assert!(refused.ends_with("is in use: is a registry running on it already?"), "{refused}");
}

#[tokio::test]
async fn who_is_forgotten_is_not_kept_either() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    kept.register("a", 1).await;
    kept.leave("a").await;
    let id: InstanceId = "a".parse().unwrap();
    let grave = crate::roster::Grave { revision: 2, service: "ratings".into(), id };
    kept.register("b", 1).await;
    let batch = Batch { forgotten: vec![grave], ..Batch::default() };
    kept.store.commit(&Arc::new(Changes { roster: batch, ..Changes::default() }), 3).await.unwrap();
    kept.close().await;
    let (_store, opened) = Store::open(dir.path(), 8).await.unwrap();
    assert_eq!((opened.listed.len(), opened.gone.len(), opened.floor), (1, 0, 2));
}

#[tokio::test]
async fn a_start_that_broke_off_while_it_salvaged_is_told_by_the_next() {
    let dir = TempDir::new().unwrap();
    let copy = crashed(&dir, 1..=20).await;
    // As if it had been killed after the damaged log was removed, and before what was sound took its place.
    let whole = TempDir::new().unwrap();
    let mut kept = Kept::open(&whole, 9).await;
    kept.register("sound", 1).await;
    kept.close().await;
    fs::rename(database(&whole), copy.path().join("registry.db.salvaged")).unwrap();
    fs::remove_file(copy.path().join("registry.db-wal")).unwrap();
    let kept = Kept::open(&copy, 10).await;
    let damage = kept.damage.as_ref().unwrap();
    assert!(damage.what.contains("broke off") && damage.sound == 1, "{damage:?}");
    assert_eq!((kept.epoch, kept.opened_with), (9, 1));
    kept.close().await;
    assert_eq!(Kept::open(&copy, 11).await.damage, None);
}
