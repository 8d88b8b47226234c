//! How messages leave.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;

use super::of_every_store;
use super::world::{Keeper, World, asking, message, new_id, sum};
use crate::relay::NotTaken;

of_every_store!(
    messages_leave_in_order,
    what_is_refused_is_passed_by_and_tried_again,
    what_is_refused_holds_up_nobody,
    two_thousand_refused_hold_up_nobody,
    what_can_never_be_published_is_dropped,
    what_did_not_leave_does_so_after_a_restart,
    two_relays_do_not_fight,
    messages_wait_while_nobody_takes_them,
);

async fn messages_leave_in_order(world: World) {
    let mut expected = Vec::new();
    for n in 0..30 {
        let ids: Vec<String> = (0..10).map(|k| format!("{n}-{k}")).collect();
        let new = ids.iter().fold(sum(), |new, id| new.publish(message(id)));
        world.begun(new).await;
        expected.extend(ids);
    }
    world.post.has(300).await;
    assert_eq!(world.post.ids(), expected);
}

async fn what_is_refused_is_passed_by_and_tried_again(world: World) {
    let declared = Arc::new(AtomicBool::new(false));
    world.post.takes({
        let declared = Arc::clone(&declared);
        move |envelope| match envelope.topic == "sums" || declared.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(NotTaken::Unknown),
        }
    });
    let mut elsewhere = message("elsewhere");
    elsewhere.topic = "later".to_owned();
    world.begun(sum().publish(elsewhere.clone()).publish(message("here"))).await;
    elsewhere.id = "to-a-channel".to_owned();
    world.begun(sum().publish(elsewhere.only_to("replies"))).await;
    world.begun(sum().publish(message("here-too"))).await;
    world.post.has(2).await;
    assert_eq!(world.post.ids(), ["here", "here-too"]);
    declared.store(true, Ordering::Relaxed);
    world.post.has(4).await;
    assert_eq!(world.post.ids(), ["here", "here-too", "elsewhere", "to-a-channel"]);
}

async fn what_is_refused_holds_up_nobody(world: World) {
    let asked = Arc::new(AtomicUsize::new(0));
    world.post.takes({
        let asked = Arc::clone(&asked);
        move |envelope| match &*envelope.id {
            "gone" => {
                asked.fetch_add(1, Ordering::Relaxed);
                Err(NotTaken::Unknown)
            }
            _ => Ok(()),
        }
    });
    world.begun(sum().publish(message("gone").only_to("replies"))).await;
    // By then, it is tried every second or so.
    while asked.load(Ordering::Relaxed) < 6 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for n in 1..=10 {
        world.begun(asking()).await;
        world.post.has(n).await;
    }
    assert!(asked.load(Ordering::Relaxed) < 16, "each waited for it");
}

async fn two_thousand_refused_hold_up_nobody(world: World) {
    world.post.takes(|envelope| match envelope.to {
        Some(_) => Err(NotTaken::Unknown),
        None => Ok(()),
    });
    let gone = |n: usize| message(&format!("gone-{n}")).only_to("replies");
    world.begun((0..2000).fold(sum(), |new, n| new.publish(gone(n)))).await;
    for n in 1..=3 {
        world.begun(asking()).await;
        world.post.has(n).await;
    }
}

async fn what_can_never_be_published_is_dropped(world: World) {
    let asked = Arc::new(AtomicUsize::new(0));
    world.post.takes({
        let asked = Arc::clone(&asked);
        move |envelope| match &*envelope.id {
            "good" => Ok(()),
            _ => {
                asked.fetch_add(1, Ordering::Relaxed);
                Err(NotTaken::Bad("it is wrong".to_owned()))
            }
        }
    });
    world.begun(sum().publish(message("bad")).publish(message("good"))).await;
    world.post.has(1).await;
    world.begun(sum().publish(message("good"))).await;
    world.post.has(2).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

async fn what_did_not_leave_does_so_after_a_restart(world: World) {
    world.post.takes(|_| Err(NotTaken::Later));
    let ids = join_all((0..200).map(|_| world.begun(asking()))).await;
    let World { records, post, url, keeper } = world;
    drop(records);
    let next = super::post::Post::new();
    let records = crate::Records::open_with(&url, next.outlet()).await.unwrap();
    next.has(200).await;
    let left: HashSet<String> = next.ids().into_iter().collect();
    assert_eq!(left, ids.iter().cloned().collect());
    assert_eq!((next.ids().len(), post.ids().len()), (200, 0));
    assert_eq!(records.under_way("sums", None, 1000).await.unwrap().len(), 200);
    drop(keeper);
}

async fn two_relays_do_not_fight(world: World) {
    let (other, elsewhere) = world.another().await;
    let begin = |n: usize| {
        let records = if n.is_multiple_of(2) { &world.records } else { &other };
        async move { new_id(records.begin(asking()).await.unwrap()) }
    };
    let ids: HashSet<String> = join_all((0..1000).map(begin)).await.into_iter().collect();
    let published = || world.post.ids().into_iter().chain(elsewhere.ids());
    let all = async {
        while published().collect::<HashSet<_>>() != ids {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.unwrap();
    match world.keeper {
        // Whatever one is publishing is locked.
        Keeper::Postgres(_) => assert_eq!(published().count(), ids.len()),
        // Both may publish the same: under the same id.
        Keeper::Sqlite(_) => println!("{} published twice", published().count() - ids.len()),
    }
}

async fn messages_wait_while_nobody_takes_them(world: World) {
    let away = Arc::new(AtomicBool::new(true));
    world.post.takes({
        let away = Arc::clone(&away);
        move |_| if away.load(Ordering::Relaxed) { Err(NotTaken::Later) } else { Ok(()) }
    });
    // More than are passed by in one round.
    let ids = join_all((0..1500).map(|_| world.begun(asking()))).await;
    away.store(false, Ordering::Relaxed);
    world.post.has(1500).await;
    assert_eq!(world.post.ids().into_iter().collect::<HashSet<_>>(), ids.into_iter().collect());
    assert_eq!(world.records.history("sums", SystemTime::now(), 2000).await.unwrap().len(), 1000);
}
