//! What a balance does with one bad instance of three, measured at the instances.

mod ours;
mod skip_forward;
mod tower_balance;

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::instance::Instance;
use super::peer::{Failed, Work};

/// Calls that are shared out while one of three is open.
const SHARED_OUT: u64 = 300;

/// Calls to three of which one fails at once.
const CALLS: usize = 20_000;

/// How many of them are under way at a time.
const AT_ONCE: usize = 16;

/// How long an instance takes that does not fail.
const ANSWER_TAKES: Duration = Duration::from_millis(2);

/// The most that a failing instance may get of all calls, in per cent.
const LEAST_LOVED: f64 = 2.0;

/// The least that must be answered of all calls, in per cent.
const ANSWERED: f64 = 99.9;

/// What a balance did.
#[derive(Debug)]
pub struct Shares {
    /// Whose.
    pub name: &'static str,
    /// The package whose version goes with it; none for what is made by hand.
    pub package: Option<&'static str>,
    /// Beside one that is open: what the other two got.
    pub beside_open: Option<[u64; 2]>,
    /// Beside one that fails at once.
    pub beside_failing: Option<Failing>,
}

/// With one of three failing at once, in per cent of all calls.
#[derive(Debug, Clone, Copy)]
pub struct Failing {
    /// What it got.
    pub share: f64,
    /// What was answered.
    pub answered: f64,
}

impl Shares {
    /// As a client should share out.
    pub fn passed(&self) -> bool {
        self.beside_open.is_some_and(|[one, other]| one.abs_diff(other) <= 1)
            && self.beside_failing.is_some_and(|failing| failing.share <= LEAST_LOVED && failing.answered >= ANSWERED)
    }
}

/// All of them. The last is ours.
pub async fn run() -> Vec<Shares> {
    vec![skip_forward::run(), tower_balance::run().await, ours::run().await]
}

/// The first fails at once.
fn three() -> [Instance; 3] {
    let after_a_while = |_: &str| -> Work {
        Box::pin(async {
            sleep(ANSWER_TAKES).await;
            Ok(())
        })
    };
    let good = || Instance::start(after_a_while);
    [Instance::start(|_| Box::pin(ready(Err(Failed)))), good(), good()]
}

/// Makes all calls, and says what became of them. A call says whether it was answered.
async fn beside_failing<C>(instances: &[Instance; 3], call: impl Fn() -> C + Send + Sync + 'static) -> Failing
where
    C: Future<Output = bool> + Send,
{
    let call = Arc::new(call);
    let mut callers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let call = Arc::clone(&call);
        callers.spawn(async move {
            let mut answered = 0;
            for _ in 0..CALLS / AT_ONCE {
                answered += usize::from(call().await);
            }
            answered
        });
    }
    let answered: usize = callers.join_all().await.into_iter().sum();
    let percent = |part: f64| 100.0 * part / CALLS as f64;
    Failing { share: percent(instances[0].asked() as f64), answered: percent(answered as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ours_passes() {
        let shares = ours::run().await;
        assert!(shares.passed(), "{shares:?}");
    }

    #[test]
    fn skipping_forward_doubles_the_load_of_the_neighbour() {
        let shares = skip_forward::run();
        assert_eq!((shares.beside_open, shares.passed()), (Some([200, 100]), false));
    }
}
