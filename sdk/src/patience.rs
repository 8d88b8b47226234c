//! Timeouts that know whose fault they are.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// A timer that goes off this much too late says that this process stood still.
const LATE: Duration = Duration::from_millis(20);
/// How long is then waited for what may have come meanwhile and is not read yet.
const SECOND_LOOK: Duration = Duration::from_millis(100);

/// As `timeout_at`. But if the timer is far too late, it is this process that was stopped, or starved, and an
/// answer may be waiting in its socket: it gets a moment to be read, and then wins.
///
/// Cancel safe if the future is.
pub(crate) async fn wait_until<F: Future>(limit: Instant, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let ended = timeout_at(limit, &mut future).await;
    if ended.is_err()
        && let Some(limit) = second_look(limit, Instant::now())
    {
        return timeout_at(limit, future).await;
    }
    ended
}

/// Until when to wait instead, if the limit was missed by so much that it is nobody else's fault.
pub(crate) fn second_look(limit: Instant, now: Instant) -> Option<Instant> {
    (now.saturating_duration_since(limit) >= LATE).then(|| now + SECOND_LOOK)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_came_while_the_process_stood_still_wins() {
        let (answer, answered) = oneshot::channel();
        let limit = Instant::now() + Duration::from_secs(1);
        let waiting = tokio::spawn(wait_until(limit, answered));
        tokio::task::yield_now().await;
        advance(Duration::from_secs(3)).await;
        // Whoever brings the answer runs after the timer.
        tokio::spawn(async move {
            sleep(Duration::from_millis(1)).await;
            let _ = answer.send(4.5);
        });
        assert_eq!(waiting.await.unwrap().unwrap(), Ok(4.5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_is_in_time_is_believed() {
        let limit = Instant::now() + Duration::from_secs(1);
        assert!(wait_until(limit, std::future::pending::<()>()).await.is_err());
        assert_eq!(Instant::now(), limit);
    }
}
