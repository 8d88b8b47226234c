//! What holds of every store.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use mainstay_messaging::{Envelope, Message};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{Begun, Ending, New, Records, Replied, State};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sum {
    a: i64,
    b: i64,
}

impl Message for Sum {
    const TOPIC: &'static str = "sums";
}

const SUM: Sum = Sum { a: 5, b: 10 };

struct World {
    records: Records,
    published: mpsc::UnboundedReceiver<Envelope>,
    _directory: TempDir,
}

impl World {
    async fn new() -> Self {
        let _directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/new/records.db", _directory.path().display());
        let (publish, published) = mpsc::unbounded_channel();
        let outlet = move |envelope| {
            publish.send(envelope).unwrap();
            async { Ok(()) }.boxed()
        };
        Self { records: Records::open_with(&url, Arc::new(outlet)).await.unwrap(), published, _directory }
    }

    async fn published(&mut self) -> Envelope {
        timeout(Duration::from_secs(5), self.published.recv()).await.unwrap().unwrap()
    }

    async fn begun(&self, new: New) -> String {
        match self.records.begin(new).await.unwrap() {
            Begun::New(id) => id,
            other => panic!("{other:?}"),
        }
    }
}

fn sum() -> New {
    New::of("sums", &SUM).unwrap()
}

#[tokio::test]
async fn a_record_tells_what_happened_to_it() {
    let mut world = World::new().await;
    let new = sum().asks(2).step("received", "frontend").waiter("replies-1", "c1");
    let ask = Envelope::new(new.id(), &SUM).unwrap();
    let id = world.begun(new.publish(ask)).await;
    assert_eq!(world.published().await.open::<Sum>().unwrap(), SUM);

    let records = &world.records;
    assert_eq!(records.reply(&id, "backend-1", &15).await.unwrap(), Replied::Stored { answered: 1, asked: 2 });
    assert_eq!(records.reply(&id, "backend-1", &16).await.unwrap(), Replied::Twice);
    assert!(records.step(&id, "dispatched", "events").await.unwrap());
    let told = Envelope::new(format!("told-{id}"), &SUM).unwrap();
    let ending = Ending::complete().result(&"15").unwrap().step("finished", "events").tell(told);
    assert!(records.finish(&id, ending.clone()).await.unwrap());
    assert!(!records.finish(&id, ending).await.unwrap());
    assert_eq!(records.reply(&id, "backend-2", &15).await.unwrap(), Replied::Ended);

    let record = records.get(&id).await.unwrap().unwrap();
    assert_eq!((record.state, record.result::<String>().unwrap().as_deref()), (State::Complete, Some("15")));
    assert_eq!(record.request::<Sum>().unwrap(), SUM);
    assert_eq!(record.steps.iter().map(|step| &*step.what).collect::<Vec<_>>(), ["received", "dispatched", "finished"]);
    assert_eq!(record.replies.len(), 1);
    let told = world.published().await;
    assert_eq!((told.to.as_deref(), told.correlation.as_deref()), (Some("replies-1"), Some("c1")));
}

#[tokio::test]
async fn equal_requests_share_one_execution() {
    let world = World::new().await;
    let begun =
        join_all((0..20).map(|n| world.records.begin(sum().shared_as("5+10").waiter("r", n.to_string())))).await;
    let new = begun.iter().filter(|begun| matches!(begun, Ok(Begun::New(_)))).count();
    assert_eq!(new, 1, "{begun:?}");
    let [record] = &*world.records.under_way("sums", None, 10).await.unwrap() else { panic!("several") };
    assert_eq!(record.waiters.len(), 20);
    assert!(world.records.finish(&record.id, Ending::complete().result(&15).unwrap()).await.unwrap());
    let Begun::Done(done) = world.records.begin(sum().shared_as("5+10")).await.unwrap() else { panic!("not done") };
    assert_eq!(done.result::<u32>().unwrap(), Some(15));
}
