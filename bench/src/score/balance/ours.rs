//! Mainstay, with the policy of `Ratings`: one failure opens, and the health path is probed every second. Beside the
//! instance that fails the retest comes sooner than the contract says, so that retests are part of what is measured.

use std::time::Duration;

use mainstay::contracts::ratings::{GetRating, Ratings};
use mainstay::{BreakerState, Client, Policy, Service as _};

use super::{SHARED_OUT, Shares, beside_failing, three};
use crate::score::instance::Instance;

const RETEST_DELAY: Duration = Duration::from_millis(500);

/// Each takes its turn, so that within so many calls the failing one has had its own.
const TURNS: usize = 10;

pub(super) async fn run() -> Shares {
    Shares {
        name: "mainstay",
        package: Some("mainstay"),
        beside_open: beside_open().await,
        beside_failing: Some(failing().await),
    }
}

/// What the other two get once the first is open; `None` if it does not open.
async fn beside_open() -> Option<[u64; 2]> {
    let instances = three();
    let client = client(&instances, Ratings::POLICY);
    for _ in 0..TURNS {
        let _ = client.call(GetRating::new("any")).await;
    }
    let is_open = client.snapshot().instances.iter().any(|view| view.breaker.state == BreakerState::Open);
    let others = || [instances[1].asked(), instances[2].asked()];
    let before = others();
    for _ in 0..SHARED_OUT {
        let _ = client.call(GetRating::new("any")).await;
    }
    let after = others();
    is_open.then(|| [after[0] - before[0], after[1] - before[1]])
}

async fn failing() -> super::Failing {
    let instances = three();
    let policy = Ratings::POLICY.to_builder().retest_delay(RETEST_DELAY).forget_last_good().build_const();
    let client = client(&instances, policy);
    beside_failing(&instances, move || {
        let client = client.clone();
        async move { client.call(GetRating::new("any")).await.is_ok() }
    })
    .await
}

fn client(instances: &[Instance; 3], policy: Policy) -> Client<Ratings> {
    let builder = Client::<Ratings>::builder().fixed(instances.each_ref().map(Instance::address));
    builder.policy(policy).build().expect("it was said where to look")
}
