//! Until when the exchange on a connection may take.
//!
//! Exchanges follow one another, and nearly all end long before their limit. So the timer stays set for an earlier one,
//! and is set anew only when it has gone off: to most exchanges their limit costs a comparison.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use tokio::time::{Instant, Sleep, sleep_until};

use super::user::User;
use crate::patience::second_look;

#[derive(Debug)]
pub(super) struct Limit {
    /// `None` where somebody else looks after the time.
    at: Option<Instant>,
    looked_twice: bool,
    timer: Option<Pin<Box<Sleep>>>,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Limit {
    /// Wakes this user, if the limit comes first.
    pub(super) fn new(user: Arc<User>) -> Self {
        let bell = Arc::new(Bell { user, rang: AtomicBool::new(false) });
        Self { at: None, looked_twice: false, timer: None, waker: Arc::clone(&bell).into(), bell }
    }

    pub(super) fn set(&mut self, at: Option<Instant>) {
        (self.at, self.looked_twice) = (at, false);
    }

    /// Is it over? If not, the user is woken in time, who has to have come already.
    pub(super) fn is_over(&mut self) -> bool {
        let Some(at) = self.at else { return false };
        if self.rings_by(at) {
            return false;
        }
        let now = Instant::now();
        if now < at {
            return !self.wait(at);
        }
        let again = if self.looked_twice { None } else { second_look(at, now) };
        (self.at, self.looked_twice) = (again.or(self.at), true);
        !again.is_some_and(|again| self.wait(again))
    }

    fn rings_by(&self, at: Instant) -> bool {
        self.timer.as_ref().is_some_and(|timer| timer.deadline() <= at) && !self.bell.rang.load(Ordering::Relaxed)
    }

    /// Sets the timer. Is there anything to wait for?
    fn wait(&mut self, at: Instant) -> bool {
        self.bell.rang.store(false, Ordering::Relaxed);
        let timer = self.timer.insert(Box::pin(sleep_until(at)));
        timer.as_mut().poll(&mut Context::from_waker(&self.waker)).is_pending()
    }
}

/// What the timer rings.
#[derive(Debug)]
struct Bell {
    user: Arc<User>,
    /// Written before the user is called, and read by a user who has come.
    rang: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::Relaxed);
        self.user.call();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit() -> (Limit, Arc<User>) {
        let user = Arc::new(User::default());
        (Limit::new(Arc::clone(&user)), user)
    }

    /// Waits until it is over; when was that?
    async fn over(limit: &mut Limit, user: &User) -> Instant {
        let is_over = poll_fn(|cx| {
            user.comes(cx.waker());
            if limit.is_over() { Poll::Ready(Instant::now()) } else { Poll::Pending }
        });
        timeout(60 * SECOND, is_over).await.expect("the user is woken")
    }

    fn set_for(limit: &Limit) -> Option<Instant> {
        limit.timer.as_ref().map(|timer| timer.deadline())
    }

    #[tokio::test(start_paused = true)]
    async fn the_user_is_woken_at_the_limit() {
        let ((mut limit, user), at) = (limit(), Instant::now() + SECOND);
        limit.set(Some(at));
        assert_eq!(over(&mut limit, &user).await, at);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_over() {
        let ((mut limit, _user), at) = (limit(), Instant::now() + SECOND);
        limit.set(Some(at));
        assert!(!limit.is_over());
        limit.set(None);
        advance(60 * SECOND).await;
        assert!(!limit.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn the_timer_of_an_earlier_exchange_stays() {
        let ((mut limit, user), earlier) = (limit(), Instant::now() + SECOND);
        limit.set(Some(earlier));
        assert!(!limit.is_over());
        let later = earlier + SECOND;
        limit.set(Some(later));
        assert!(!limit.is_over());
        assert_eq!(set_for(&limit), Some(earlier));
        assert_eq!(over(&mut limit, &user).await, later);
        assert_eq!(set_for(&limit), Some(later));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_would_be_too_late_is_set_anew() {
        let ((mut limit, user), at) = (limit(), Instant::now() + SECOND);
        limit.set(Some(at + SECOND));
        assert!(!limit.is_over());
        limit.set(Some(at));
        assert_eq!(over(&mut limit, &user).await, at);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_was_slept_through_gets_one_second_look() {
        let ((mut limit, user), at) = (limit(), Instant::now() + SECOND);
        limit.set(Some(at));
        assert!(!limit.is_over());
        advance(3 * SECOND).await;
        let woke = Instant::now();
        let looked = over(&mut limit, &user).await;
        assert_eq!(Some(looked), second_look(at, woke));
        advance(SECOND).await;
        assert!(limit.is_over());
    }
}
