//! Checks are kept with their instances.

use std::time::Duration;

use mainstay_contracts::registry::Presence;

use super::*;
use crate::roster::{Check, Enlist, Health, Status};

fn check(said: Status) -> Check {
    let (id, name, notes) = ("service:a".to_owned(), "is it there".to_owned(), String::new());
    let (ttl, gone_after) = (Duration::from_secs(10), Some(Duration::from_secs(60)));
    Check { id, name, notes, ttl, gone_after, said, output: String::new(), expired: false }
}

fn health(kept: &mut Kept) -> (Health, Presence) {
    let batch = kept.roster.take_batch();
    let row = batch.changes.last().and_then(|change| change.row()).expect("it is listed");
    ((**row.health.as_ref().expect("it has checks")).clone(), row.listed.presence)
}

#[tokio::test]
async fn what_a_check_has_said_is_there_again_and_believed_for_its_ttl_and_the_grace() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::open(&dir, 7).await;
    let call = serde_json::from_str(r#"{"service":"ratings","id":"a","address":"127.0.0.1:1"}"#).unwrap();
    let enlist = Enlist { call, checks: vec![check(Status::Critical)], warning_weight: 3, replace: false };
    kept.roster.enlist(enlist, Time::default()).unwrap();
    kept.roster.hear_check("service:a", Status::Warning, "däwn".to_owned(), Time::default()).unwrap();
    kept.commit().await;
    kept.close().await;
    let mut kept = Kept::open(&dir, 8).await;
    let expected = Check { output: "däwn".to_owned(), ..check(Status::Warning) };
    let (found, presence) = health(&mut kept);
    assert_eq!((&found.checks[..], found.warning_weight, presence), (&[expected][..], 3, Presence::Up));
    kept.roster.expire(Time::from_millis(24_900));
    assert_eq!(kept.roster.revision(), 2);
    kept.roster.expire(Time::from_millis(25_100));
    let (found, presence) = health(&mut kept);
    assert_eq!((found.checks[0].expired, presence), (true, Presence::Silent));
    kept.roster.hear_check("service:a", Status::Critical, String::new(), Time::from_millis(26_000)).unwrap();
    kept.commit().await;
    kept.close().await;
    let mut kept = Kept::open(&dir, 9).await;
    assert_eq!(health(&mut kept).1, Presence::Draining);
    kept.roster.expire(Time::from_millis(74_900));
    assert_eq!(kept.roster.revision(), 4);
    kept.roster.expire(Time::from_millis(75_100));
    assert_eq!(kept.roster.revision(), 5, "it is gone");
}
