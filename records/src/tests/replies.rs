//! Replies and steps.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use super::of_every_store;
use super::world::{World, sum};
use crate::{Ending, Records, Replied};

of_every_store!(
    each_reply_is_counted_once,
    a_responder_replies_once,
    a_reply_that_is_late_is_not_stored,
    a_reply_to_nothing_is_not_stored,
    replies_and_the_end_do_not_cross,
    steps_are_kept_in_their_order,
    two_who_write_the_same_do_not_fight,
);

async fn each_reply_is_counted_once(world: World) {
    let id = world.begun(sum().asks(10)).await;
    let replies = join_all((0..20).map(|n| {
        let (records, id) = (&world.records, &id);
        async move { records.reply(id, &format!("provider {n}"), &n).await.unwrap() }
    }))
    .await;
    let mut counted: Vec<u32> = replies
        .iter()
        .filter_map(|replied| match replied {
            Replied::Stored { answered, asked: 10 } => Some(*answered),
            _ => None,
        })
        .collect();
    counted.sort_unstable();
    assert_eq!(counted, (1..=10).collect::<Vec<_>>(), "{replies:?}");
    assert_eq!(replies.iter().filter(|replied| **replied == Replied::Ended).count(), 10);
    let record = world.get(&id).await;
    assert_eq!(record.replies.len(), 10);
    assert!(record.replies.is_sorted_by_key(|reply| reply.at));
    for reply in &record.replies {
        assert_eq!(reply.responder, format!("provider {}", reply.body::<u32>().unwrap()));
    }
}

async fn a_responder_replies_once(world: World) {
    let id = world.begun(sum().asks(10)).await;
    let replies = join_all((0..20).map(|n| {
        let (records, id) = (&world.records, &id);
        async move { records.reply(id, "provider", &n).await.unwrap() }
    }))
    .await;
    let stored = replies.iter().filter(|replied| matches!(replied, Replied::Stored { answered: 1, asked: 10 })).count();
    let twice = replies.iter().filter(|replied| **replied == Replied::Twice).count();
    assert_eq!((stored, twice), (1, 19), "{replies:?}");
    assert_eq!(world.get(&id).await.replies.len(), 1);
    assert!(world.records.finish(&id, Ending::closed()).await.unwrap());
    assert_eq!(world.records.reply(&id, "provider", &1).await.unwrap(), Replied::Twice);
}

async fn a_reply_that_is_late_is_not_stored(world: World) {
    let records = &world.records;
    let over = world.begun(sum().ends_in(Duration::ZERO)).await;
    assert_eq!(records.reply(&over, "provider", &1).await.unwrap(), Replied::Ended);
    for ending in [Ending::complete(), Ending::closed(), Ending::failed()] {
        let ended = world.begun(sum()).await;
        assert!(records.finish(&ended, ending).await.unwrap());
        assert_eq!(records.reply(&ended, "provider", &1).await.unwrap(), Replied::Ended);
        assert_eq!(world.get(&ended).await.replies.len(), 0);
    }
}

async fn a_reply_to_nothing_is_not_stored(world: World) {
    for id in ["", "7", "no uuid", "0198f7a0-0000-7000-8000-00000000000g", &uuid::Uuid::now_v7().to_string()] {
        assert_eq!(world.records.reply(id, "provider", &1).await.unwrap(), Replied::Unknown);
        assert!(!world.records.step(id, "dispatched", "events").await.unwrap());
        assert!(!world.records.finish(id, Ending::closed()).await.unwrap());
        assert!(world.records.get(id).await.unwrap().is_none());
    }
    assert!(world.records.history("sums", std::time::SystemTime::now(), 10).await.unwrap().is_empty());
}

async fn replies_and_the_end_do_not_cross(world: World) {
    for _ in 0..20 {
        let id = world.begun(sum().asks(5)).await;
        let (records, this) = (&world.records, &id);
        let reply = |n: u32| async move { records.reply(this, &n.to_string(), &n).await.unwrap() };
        let (replies, first) = tokio::join!(join_all((0..5).map(reply)), records.finish(this, Ending::closed()));
        assert!(first.unwrap());
        let stored = replies.iter().filter(|replied| matches!(replied, Replied::Stored { .. })).count();
        let record = world.get(&id).await;
        assert_eq!(record.replies.len(), stored, "{replies:?}");
        // Each was stored before the end.
        assert!(
            replies.iter().all(|replied| matches!(replied, Replied::Stored { .. } | Replied::Ended)),
            "{replies:?}"
        );
    }
}

async fn steps_are_kept_in_their_order(world: World) {
    let id = world.begun(sum().step("received", "frontend")).await;
    for what in ["dispatched", "redelivered", "dispatched"] {
        assert!(world.records.step(&id, what, "events").await.unwrap());
    }
    assert!(world.records.finish(&id, Ending::complete().step("finished", "events")).await.unwrap());
    assert!(world.records.step(&id, "told", "frontend").await.unwrap());
    let record = world.get(&id).await;
    let steps: Vec<&str> = record.steps.iter().map(|step| &*step.what).collect();
    assert_eq!(steps, ["received", "dispatched", "redelivered", "dispatched", "finished", "told"]);
    assert!(record.steps.is_sorted_by_key(|step| step.at));
    for _ in record.steps.len()..100 {
        assert!(world.records.step(&id, "again", "events").await.unwrap());
    }
    let error = world.records.step(&id, "again", "events").await.unwrap_err();
    assert!(error.is_full() && error.to_string().contains("100 steps"), "{error}");
    assert_eq!(world.get(&id).await.steps.len(), 100);
}

async fn two_who_write_the_same_do_not_fight(world: World) {
    let (other, _post) = world.another().await;
    let one_by_one = async |records: &Records, who: &str, ids: &[String]| {
        let mut ended = Vec::new();
        for id in ids {
            assert!(records.step(id, "dispatched", who).await.unwrap());
            records.reply(id, who, &1).await.unwrap();
            if records.finish(id, Ending::complete().step("finished", who)).await.unwrap() {
                ended.push(id.clone());
            }
        }
        ended
    };
    let ids = join_all((0..100).map(|_| world.begun(sum().asks(2)))).await;
    let (first, second) = tokio::join!(one_by_one(&world.records, "one", &ids), one_by_one(&other, "two", &ids));
    let mut ended: Vec<String> = first.into_iter().chain(second).collect();
    ended.sort_unstable();
    assert_eq!(ended, ids.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    for id in &ids {
        let record = world.get(id).await;
        let by = |who: &str| record.steps.iter().filter(|step| step.by == who).count();
        assert_eq!(by("one") + by("two"), 3, "{record:?}");
        assert!(by("one") > 0 && by("two") > 0, "{record:?}");
    }
}
