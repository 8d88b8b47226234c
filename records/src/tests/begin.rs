//! Requests that are shared, and those that are not.

use std::time::Duration;

use futures_util::future::join_all;

use super::of_every_store;
use super::world::{SUM, Sum, World, asking, new_id, sum};
use crate::{Begun, Ending, New, State};

of_every_store!(
    what_is_begun_is_there_and_its_message_leaves,
    equal_requests_share_one_execution,
    what_has_ended_badly_answers_nobody,
    a_request_that_is_late_answers_nobody,
    one_id_is_one_request,
    one_id_is_one_request_however_it_is_written,
    a_waiter_who_asks_again_waits_once,
    different_requests_do_not_interfere,
    too_many_waiters_are_refused,
);

async fn what_is_begun_is_there_and_its_message_leaves(world: World) {
    let new = asking().asks(3).ends_in(Duration::from_secs(9)).step("received", "frontend").waiter("replies-1", "c1");
    let (received, ends_at) = (new.received, new.ends_at);
    let id = world.begun(new).await;
    let envelope = world.post.has(1).await.remove(0);
    assert_eq!((&envelope.id, envelope.open::<Sum>().unwrap()), (&id, SUM));
    let record = world.get(&id).await;
    assert_eq!((&record.id, &*record.kind, record.state), (&id, "sums", State::Open));
    assert_eq!(record.request::<Sum>().unwrap(), SUM);
    assert_eq!(record.result::<Sum>().unwrap(), None);
    assert_eq!((record.received, record.ends_at, record.finished), (received, ends_at, None));
    assert_eq!((record.asked, record.replies.len(), record.fingerprint), (3, 0, None));
    assert_eq!((&*record.steps[0].what, &*record.steps[0].by), ("received", "frontend"));
    assert_eq!((&*record.waiters[0].channel, &*record.waiters[0].correlation), ("replies-1", "c1"));
}

async fn equal_requests_share_one_execution(world: World) {
    let begin = |n: usize| world.records.begin(asking().shared_as("5+10").waiter("r", n.to_string()));
    let begun = join_all((0..100).map(begin)).await;
    let new: Vec<_> = begun.iter().filter(|begun| matches!(begun, Ok(Begun::New(_)))).collect();
    assert_eq!((new.len(), begun.iter().filter(|begun| begun.is_err()).count()), (1, 0), "{begun:?}");
    let [record] = &*world.records.under_way("sums", None, 10).await.unwrap() else { panic!("several") };
    let mut waiting: Vec<usize> = record.waiters.iter().map(|waiter| waiter.correlation.parse().unwrap()).collect();
    waiting.sort_unstable();
    assert_eq!(waiting, (0..100).collect::<Vec<_>>());

    assert!(world.records.finish(&record.id, Ending::complete().result(&15).unwrap()).await.unwrap());
    let Begun::Done(done) = begin(100).await.unwrap() else { panic!("not done") };
    assert_eq!((done.result::<u32>().unwrap(), done.waiters.len()), (Some(15), 100));
    assert_eq!(world.post.has(1).await.len(), 1);
}

async fn what_has_ended_badly_answers_nobody(world: World) {
    let mut ids = vec![world.begun(sum().shared_as("5+10")).await];
    for ending in [Ending::closed(), Ending::failed(), Ending::complete()] {
        assert!(world.records.finish(ids.last().unwrap(), ending.clone()).await.unwrap());
        match world.records.begin(sum().shared_as("5+10")).await.unwrap() {
            Begun::Done(record) => assert_eq!((&record.id, ending.state), (ids.last().unwrap(), State::Complete)),
            Begun::New(id) => ids.push(id),
            Begun::UnderWay(record) => panic!("{record:?}"),
        }
    }
    assert_eq!(ids.len(), 3);
}

async fn a_request_that_is_late_answers_nobody(world: World) {
    let late = world.begun(sum().shared_as("5+10").ends_in(Duration::ZERO)).await;
    let next = world.begun(sum().shared_as("5+10").ends_in(Duration::from_secs(60))).await;
    // It goes on by itself, and may still be finished; whoever asks is answered from the one after it.
    assert!(world.records.finish(&late, Ending::complete().result(&15).unwrap()).await.unwrap());
    let Begun::UnderWay(shared) = world.records.begin(sum().shared_as("5+10")).await.unwrap() else { panic!("shared") };
    assert_eq!(shared.id, next);
}

async fn one_id_is_one_request(world: World) {
    let new = asking().waiter("r", "1");
    let id = world.begun(new.clone()).await;
    let Begun::UnderWay(record) = world.records.begin(new.clone()).await.unwrap() else { panic!("begun twice") };
    assert_eq!((&record.id, record.waiters.len()), (&id, 1));
    assert!(world.records.finish(&id, Ending::closed()).await.unwrap());
    let Begun::Done(record) = world.records.begin(new).await.unwrap() else { panic!("begun twice") };
    assert_eq!((&record.id, record.state), (&id, State::Closed));
    assert_eq!(world.post.has(1).await.len(), 1);
    let error = world.records.begin(New::of("quotes", &1).unwrap().under(&*id)).await.unwrap_err();
    assert!(error.is_bad() && error.to_string().contains("a record of sums"), "{error}");
}

async fn one_id_is_one_request_however_it_is_written(world: World) {
    let new = sum().ends_in(Duration::ZERO);
    let id = world.begun(new.clone()).await;
    let begun = world.records.begin(new.under(id.to_uppercase())).await.unwrap();
    let Begun::UnderWay(record) = begun else { panic!("begun twice") };
    assert_eq!(record.id, id);
}

async fn a_waiter_who_asks_again_waits_once(world: World) {
    let id = world.begun(sum().shared_as("5+10").waiter("r", "1")).await;
    for correlation in ["1", "2", "2", "1"] {
        let begun = world.records.begin(sum().shared_as("5+10").waiter("r", correlation)).await.unwrap();
        assert!(matches!(begun, Begun::UnderWay(_)), "{begun:?}");
    }
    let waiters: Vec<String> = world.get(&id).await.waiters.into_iter().map(|waiter| waiter.correlation).collect();
    assert_eq!(waiters, ["1", "2"]);
}

async fn different_requests_do_not_interfere(world: World) {
    let records = &world.records;
    let first = world.begun(sum().shared_as("5+10")).await;
    let other = world.begun(sum().shared_as("3x5")).await;
    let of_another_kind = new_id(records.begin(New::of("quotes", &1).unwrap().shared_as("5+10")).await.unwrap());
    let unshared = world.begun(sum()).await;
    assert_ne!(unshared, world.begun(sum()).await);
    for id in [&first, &other, &of_another_kind] {
        assert!(records.finish(id, Ending::complete().result(&"15").unwrap()).await.unwrap());
    }
    for (fingerprint, id) in [("5+10", &first), ("3x5", &other)] {
        let Begun::Done(done) = records.begin(sum().shared_as(fingerprint)).await.unwrap() else { panic!("not done") };
        assert_eq!(&done.id, id);
    }
}

async fn too_many_waiters_are_refused(world: World) {
    let begin = |n: usize| world.records.begin(sum().shared_as("5+10").waiter("r", n.to_string()));
    for hundred in 0..10 {
        let begun = join_all((hundred * 100..(hundred + 1) * 100).map(begin)).await;
        assert_eq!(begun.iter().filter(|begun| begun.is_err()).count(), 0, "{hundred}");
    }
    let error = begin(1000).await.unwrap_err();
    assert!(error.is_full() && error.to_string().contains("wait for this request"), "{error}");
    // Those who wait may ask again.
    assert!(matches!(begin(7).await.unwrap(), Begun::UnderWay(_)));
}
