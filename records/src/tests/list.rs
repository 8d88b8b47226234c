//! What is found, and what is forgotten.

use std::time::{Duration, SystemTime};

use super::of_every_store;
use super::world::{World, sum};
use crate::{Ending, New, Record};

of_every_store!(
    history_is_newest_first,
    what_is_open_is_found_page_by_page,
    what_is_due_is_found,
    what_is_old_is_forgotten
);

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| &*record.id).collect()
}

async fn history_is_newest_first(world: World) {
    let (records, mut all) = (&world.records, Vec::new());
    for n in 0..5 {
        all.insert(0, world.begun(sum().asks(2)).await);
        records.reply(&all[0], "one", &n).await.unwrap();
        records.begin(New::of("quotes", &n).unwrap()).await.unwrap();
    }
    let now = SystemTime::now();
    let found = records.history("sums", now, 10).await.unwrap();
    assert_eq!(ids(&found), all);
    assert!(found.iter().zip([4, 3, 2, 1, 0]).all(|(record, n)| record.replies[0].body::<i32>().unwrap() == n));
    assert_eq!(ids(&records.history("sums", now, 2).await.unwrap()), all[..2]);
    let then = found[2].received;
    assert_eq!(ids(&records.history("sums", then, 10).await.unwrap()), all[2..]);
    let before = then - Duration::from_micros(1);
    assert_eq!(ids(&records.history("sums", before, 10).await.unwrap()), all[3..]);
    assert!(records.history("nothing", now, 10).await.unwrap().is_empty());
    assert!(records.history("sums", SystemTime::UNIX_EPOCH, 10).await.unwrap().is_empty());
}

async fn what_is_open_is_found_page_by_page(world: World) {
    let records = &world.records;
    let mut open = Vec::new();
    for n in 0..6 {
        let id = world.begun(sum()).await;
        match n % 3 {
            0 => assert!(records.finish(&id, Ending::closed()).await.unwrap()),
            _ => open.push(id),
        }
    }
    let first = records.under_way("sums", None, 3).await.unwrap();
    assert_eq!(ids(&first), open[..3]);
    let rest = records.under_way("sums", Some(&first[2].id), 3).await.unwrap();
    assert_eq!(ids(&rest), open[3..]);
    assert!(records.under_way("sums", Some("7"), 3).await.unwrap_err().is_bad());
}

async fn what_is_due_is_found(world: World) {
    let (records, now) = (&world.records, SystemTime::now());
    let hour = Duration::from_secs(3600);
    let later = world.begun(sum().ends_in(2 * hour)).await;
    let soon = world.begun(sum().ends_in(hour)).await;
    let ended = world.begun(sum().ends_in(hour)).await;
    assert!(records.finish(&ended, Ending::complete()).await.unwrap());
    world.begun(sum()).await;
    assert!(records.due("sums", now, 10).await.unwrap().is_empty());
    assert_eq!(ids(&records.due("sums", now + 3 * hour, 10).await.unwrap()), [&soon, &later]);
    assert_eq!(ids(&records.due("sums", now + 3 * hour, 1).await.unwrap()), [&soon]);
    let exactly = world.get(&soon).await.ends_at.unwrap();
    assert_eq!(ids(&records.due("sums", exactly, 10).await.unwrap()), [&soon]);
}

async fn what_is_old_is_forgotten(world: World) {
    let records = &world.records;
    let mut all = Vec::new();
    for n in 0..12 {
        all.push(world.begun(sum().shared_as(n.to_string())).await);
        records.reply(&all[n], "one", &n).await.unwrap();
        if n != 2 {
            assert!(records.finish(&all[n], Ending::complete()).await.unwrap());
        }
    }
    let other = New::of("quotes", &1).unwrap();
    records.begin(other).await.unwrap();
    let then = world.get(&all[4]).await.received;
    assert_eq!(records.prune("sums", then, u64::MAX).await.unwrap(), 3);
    assert_eq!(records.prune("sums", SystemTime::UNIX_EPOCH, 5).await.unwrap(), 3);
    let found = records.history("sums", SystemTime::now(), 100).await.unwrap();
    // The open one stays.
    let left: Vec<&String> = all[7..].iter().rev().chain([&all[2]]).collect();
    assert_eq!(ids(&found), left);
    assert!(found.iter().all(|record| record.replies.len() == 1));
    // What is forgotten answers nobody.
    world.begun(sum().shared_as("0")).await;
    assert_eq!(records.prune("sums", SystemTime::now() + Duration::from_secs(60), 100).await.unwrap(), 5);
    assert_eq!(records.prune("sums", SystemTime::now(), 0).await.unwrap(), 0);
}
