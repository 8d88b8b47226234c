//! What may not be written, and what looks odd and may.

use std::time::SystemTime;

use mainstay_messaging::Envelope;

use super::of_every_store;
use super::world::{World, asking, message, sum};
use crate::{Ending, New, Replied};

of_every_store!(what_is_bad_is_refused_and_said, what_looks_odd_comes_back_as_it_was);

async fn what_is_bad_is_refused_and_said(world: World) {
    let long = "x".repeat(2000);
    let bad_message = Envelope { topic: "no topic".to_owned(), ..message("1") };
    for (new, why) in [
        (New::of("", &1).unwrap(), "the kind is empty"),
        (New::of("a\nb", &1).unwrap(), "control character"),
        (New::of(&long, &1).unwrap(), "more than 128"),
        (sum().under("7"), "an id is a UUID"),
        (sum().shared_as(""), "the fingerprint is empty"),
        (sum().shared_as(&*long), "more than 1024"),
        (sum().shared_as("\0"), "control character"),
        (sum().step("", "me"), "the step is empty"),
        (sum().step("received", "a\0"), "control character"),
        (sum().waiter("", "1"), "the channel of a waiter is empty"),
        (sum().waiter("r", &*long), "correlation of a waiter has 2000"),
        (sum().publish(bad_message.clone()), "topic has a character"),
    ] {
        let error = world.records.begin(new).await.unwrap_err();
        assert!(error.is_bad() && error.to_string().contains(why), "{error}");
    }
    let id = world.begun(sum()).await;
    for (ending, why) in [
        (Ending::complete().step("", "me"), "the step is empty"),
        (Ending::complete().publish(bad_message.clone()), "topic has a character"),
        (Ending::complete().tell(bad_message), "topic has a character"),
        (Ending::complete().tell(message(&"x".repeat(125))), "more than 128"),
    ] {
        let error = world.records.finish(&id, ending).await.unwrap_err();
        assert!(error.is_bad() && error.to_string().contains(why), "{error}");
    }
    assert!(world.records.reply(&id, "", &1).await.unwrap_err().is_bad());
    assert!(world.records.reply(&id, "me", &"x".repeat(2 << 20)).await.unwrap_err().is_bad());
    assert!(world.records.step(&id, "a\0", "me").await.unwrap_err().is_bad());
    assert!(New::of("sums", &"x".repeat(2 << 20)).is_err_and(|error| error.is_bad()));
    assert!(Ending::complete().result(&"x".repeat(2 << 20)).is_err_and(|error| error.is_bad()));
    assert_eq!(world.records.history("sums", SystemTime::now(), 10).await.unwrap().len(), 1);
    // It is alive.
    world.begun(asking()).await;
    assert_eq!(world.post.has(1).await.len(), 1);
}

async fn what_looks_odd_comes_back_as_it_was(world: World) {
    let records = &world.records;
    let odd = "'; DROP TABLE record; -- \u{0} \u{1F984} \" \\ %s $1 ?1";
    let name = "O'Hara \"Bob\" \u{1F984} $1 \\";
    let new = New::of(name, &odd).unwrap().shared_as(name).step(name, name).waiter(name, name);
    let message = Envelope { id: "$1';--".to_owned(), ..message("1") };
    let id = records.begin(new.publish(message)).await.map(super::world::new_id).unwrap();
    assert!(matches!(records.reply(&id, name, &odd).await.unwrap(), Replied::Stored { .. }));
    // Numbers are not rounded on the way.
    let precise = 18_446_744_065_119_617_025_u64;
    assert!(records.finish(&id, Ending::complete().result(&precise).unwrap()).await.unwrap());
    let [record] = &*records.history(name, SystemTime::now(), 10).await.unwrap() else { panic!("none") };
    assert_eq!((&*record.kind, record.fingerprint.as_deref()), (name, Some(name)));
    assert_eq!(record.request::<String>().unwrap(), odd);
    assert_eq!(record.result::<u64>().unwrap(), Some(precise));
    assert_eq!((&*record.replies[0].responder, &*record.replies[0].body::<String>().unwrap()), (name, odd));
    assert_eq!((&*record.steps[0].by, &*record.waiters[0].correlation), (name, name));
    assert_eq!(world.post.has(1).await[0].id, "$1';--");
    // It says what it is not, too.
    assert!(record.request::<u32>().unwrap_err().to_string().contains("the request reads otherwise"));
}
