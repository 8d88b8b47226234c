//! The end of a request, and who is told of it.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::of_every_store;
use super::world::{World, asking, message, sum};
use crate::{Begun, Change, Ending, State};

of_every_store!(
    one_of_many_finishes,
    every_waiter_is_told_once,
    whoever_shares_at_the_last_moment_is_told_or_answered,
    a_request_full_of_steps_can_be_finished,
    changes_are_told,
);

async fn one_of_many_finishes(world: World) {
    let id = world.begun(sum()).await;
    let finish = |n: usize| {
        let ending = Ending::complete().result(&n).unwrap().publish(message(&format!("told-{n}")));
        world.records.finish(&id, ending)
    };
    let finished = join_all((0..20).map(finish)).await;
    let first: Vec<usize> =
        finished.iter().enumerate().filter(|(_, it)| *it.as_ref().unwrap()).map(|(n, _)| n).collect();
    let [first] = *first else { panic!("{first:?}") };
    let record = world.get(&id).await;
    assert_eq!((record.state, record.result::<usize>().unwrap()), (State::Complete, Some(first)));
    assert!(record.finished.unwrap() >= record.received);
    assert_eq!(world.post.has(1).await[0].id, format!("told-{first}"));
    // Whatever the others would have published would have come before this.
    let last = world.begun(asking()).await;
    world.post.has(2).await;
    assert_eq!(world.post.ids(), [format!("told-{first}"), last]);
}

async fn every_waiter_is_told_once(world: World) {
    let id = world.begun(sum().shared_as("5+10").waiter("replies-1", "a")).await;
    for (channel, correlation) in [("replies-1", "b"), ("replies-2", "a")] {
        world.records.begin(sum().shared_as("5+10").waiter(channel, correlation)).await.unwrap();
    }
    let ending = Ending::complete().publish(message("log")).tell(message("told"));
    assert!(world.records.finish(&id, ending).await.unwrap());
    let told = world.post.has(4).await;
    let told: Vec<_> = told.iter().map(|told| (&*told.id, told.to.as_deref(), told.correlation.as_deref())).collect();
    let expected = [
        ("log", None, None),
        ("told-0", Some("replies-1"), Some("a")),
        ("told-1", Some("replies-1"), Some("b")),
        ("told-2", Some("replies-2"), Some("a")),
    ];
    assert_eq!(told, expected);
}

async fn whoever_shares_at_the_last_moment_is_told_or_answered(world: World) {
    for round in 0..20 {
        let fingerprint = format!("round {round}");
        let id = world.begun(sum().shared_as(&*fingerprint)).await;
        let before = world.post.taken().len();
        let begin = |n: usize| world.records.begin(sum().shared_as(&*fingerprint).waiter("r", format!("{round}-{n}")));
        let ending = Ending::complete().tell(message(&format!("told-{round}")));
        let half = || join_all((0..10).map(begin));
        let also = || join_all((10..20).map(begin));
        let (one, first, two) = tokio::join!(half(), world.records.finish(&id, ending), also());
        assert!(first.unwrap());
        let mut waits = HashSet::new();
        for (n, begun) in one.into_iter().chain(two).enumerate() {
            match begun.unwrap() {
                Begun::UnderWay(_) => assert!(waits.insert(format!("{round}-{n}"))),
                Begun::Done(record) => assert_eq!(record.id, id),
                Begun::New(id) => panic!("{id} is executed again"),
            }
        }
        let told = world.post.has(before + waits.len()).await.split_off(before);
        let told: HashSet<String> = told.into_iter().map(|told| told.correlation.unwrap()).collect();
        assert_eq!(told, waits);
    }
}

async fn a_request_full_of_steps_can_be_finished(world: World) {
    let new = (0..100).fold(sum(), |new, n| new.step(&format!("step {n}"), "frontend"));
    let id = world.begun(new).await;
    assert!(world.records.finish(&id, Ending::complete().step("finished", "events")).await.unwrap());
    assert_eq!(world.get(&id).await.steps.len(), 101);
}

async fn changes_are_told(world: World) {
    let mut changes = world.records.changes();
    let id = world.begun(sum().shared_as("5+10")).await;
    let of = Some(Change::Of((&*id).into()));
    assert_eq!(changes.next().await, of);
    world.records.begin(sum().shared_as("5+10").waiter("r", "1")).await.unwrap();
    assert_eq!(changes.next().await, of);
    world.records.step(&id, "dispatched", "events").await.unwrap();
    assert_eq!(changes.next().await, of);
    world.records.reply(&id, "backend", &15).await.unwrap();
    assert_eq!(changes.next().await, of);
    world.records.reply(&id, "backend", &15).await.unwrap();
    world.records.finish(&id, Ending::complete()).await.unwrap();
    assert_eq!(changes.next().await, of);
    world.records.finish(&id, Ending::complete()).await.unwrap();
    let next = world.begun(sum()).await;
    assert_eq!(changes.next().await, Some(Change::Of(next.into())));
    join_all((0..1100).map(|_| world.records.begin(sum()))).await;
    assert_eq!(changes.next().await, Some(Change::Many));
    drop(world.records);
    while changes.next().await.is_some() {}
}
