use super::*;
use crate::score::bed::{Bed, LIMIT, PATIENCE, SHORT_TIMEOUT};
use crate::score::peer::{Answer, Trip};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mainstay_passes_every_scenario() {
    for scenario in &scenarios::ALL {
        let found = run(scenario, &peers::MAINSTAY).await;
        assert!(passed(Some(&found)), "{}: {found:?}", scenario.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mainstay_passes_beside_the_card() {
    for found in
        [scenarios::after_an_answer(&peers::MAINSTAY).await, scenarios::impatient_callers(&peers::MAINSTAY).await]
    {
        assert!(passed(Some(&found)), "{found:?}");
    }
}

/// All but one: what becomes of callers who leave is the client's business.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_breaker_passes_by_itself() {
    let entry = &peers::MAINSTAY_BREAKER;
    for found in [
        scenarios::one_probe(entry).await,
        scenarios::early_success(entry).await,
        scenarios::old_probe(&peers::MAINSTAY_BREAKER_FORGETFUL).await,
        scenarios::cancelled_probe(entry).await,
        scenarios::window(entry).await,
    ] {
        assert!(passed(Some(&found)), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_can_fail() {
    let failed = |found: &Found| matches!(found, Ok(finding) if finding.verdict == Verdict::Fail);
    for found in [
        scenarios::one_probe(&peers::FAILSAFE).await,
        scenarios::early_success(&peers::TOWER_RESILIENCE).await,
        scenarios::old_probe(&peers::SEATBELT).await,
        scenarios::caller_timeouts(&peers::MAINSTAY_BREAKER).await,
    ] {
        assert!(failed(&found), "{found:?}");
    }
}

/// What three scenarios are judged by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_is_told_from_half_open() {
    for entry in PEERS {
        let bed = Bed::new(&entry, Trip::InARow(LIMIT), PATIENCE);
        let _ = (bed.succeed().await, bed.succeed().await);
        assert!(bed.was_closed().await, "{} was closed", entry.name);
        let _probe = bed.probe().await.unwrap();
        assert!(!bed.was_closed().await, "{} was half-open", entry.name);
    }
}

/// Half-open, it closes by answers to its probes: what the card calls wrong are answers to other calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_breaker_closes_by_its_probes() {
    for entry in PEERS {
        let bed = Bed::new(&entry, Trip::InARow(LIMIT), PATIENCE);
        bed.open().await.unwrap();
        bed.probe().await.unwrap().end(Ok(())).await;
        let _ = bed.succeed().await;
        assert!(bed.was_closed().await, "{}", entry.name);
    }
}

/// The timeout is inside of each breaker: what it does not see is callers who leave before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_breaker_opens_by_attempts_that_time_out() {
    for entry in PEERS {
        let bed = Bed::new(&entry, Trip::InARow(LIMIT), SHORT_TIMEOUT);
        let mut answers = Vec::new();
        for _ in 0..=LIMIT {
            answers.extend(bed.leave(None, PATIENCE).await);
        }
        assert_eq!(answers.pop(), Some(Answer::Skipped), "{}", entry.name);
    }
}
