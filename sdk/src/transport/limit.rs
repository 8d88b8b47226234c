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
