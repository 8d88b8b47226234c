//! Whether anybody still asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use tokio::time::{sleep, timeout};

/// The requests of a router.
#[derive(Debug, Clone, Default)]
pub(super) struct Traffic(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Traffic {
    /// The same router, whose requests are counted.
    pub(super) fn of(&self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self.clone(), count))
    }

    fn begin(&self) -> UnderWay {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        UnderWay(self.clone())
    }

    /// Waits until no request has come for so long and none is under way, up to a limit.
    pub(super) async fn ceased(&self, quiet: Duration, limit: Duration) {
        let ceased = async {
            loop {
                let begun = self.0.begun.load(Ordering::SeqCst);
                sleep(quiet).await;
                // Ended first: what began and ended in between has begun since, too.
                let ended = self.0.ended.load(Ordering::SeqCst);
                if ended == begun && self.0.begun.load(Ordering::SeqCst) == begun {
                    return;
                }
            }
        };
        let _ = timeout(limit, ceased).await;
    }
}

/// Counts also as ended when it is dropped.
struct UnderWay(Traffic);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

async fn count(State(traffic): State<Traffic>, request: Request, next: Next) -> Response {
    let _under_way = traffic.begin();
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const QUIET: Duration = Duration::from_millis(50);
    const LIMIT: Duration = Duration::from_secs(2);

    async fn waited(traffic: &Traffic) -> Duration {
        let start = Instant::now();
        traffic.ceased(QUIET, LIMIT).await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_has_ceased_when_nobody_came_and_nobody_is_there() {
        let traffic = Traffic::default();
        assert_eq!(waited(&traffic).await, QUIET);
        let under_way = traffic.begin();
        tokio::spawn(async move {
            sleep(Duration::from_millis(120)).await;
            drop(under_way);
        });
        assert_eq!(waited(&traffic).await, 3 * QUIET);
        let busy = traffic.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                drop(busy.begin());
                sleep(Duration::from_millis(20)).await;
            }
        });
        let waited = waited(&traffic).await;
        assert!((4 * QUIET..=5 * QUIET).contains(&waited), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_cease_is_not_waited_for() {
        let traffic = Traffic::default();
        let _under_way = traffic.begin();
        assert_eq!(waited(&traffic).await, LIMIT);
    }
}
