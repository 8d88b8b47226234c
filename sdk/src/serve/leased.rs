//! A server whose clients do not notice that it ends.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use super::server::{Limits, run};
use super::traffic::Traffic;
use crate::register::Lease;

/// How long the registry may take to tell everybody that the instance drains.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
/// How long it must have been quiet for the instance to leave, and how long that is waited for.
const QUIET: Duration = Duration::from_millis(50);
const QUIET_LIMIT: Duration = Duration::from_secs(2);

/// Serves as [`run`] does, registered by this lease, and leaves so that no call is lost: when `shutdown` resolves, the
/// lease is [drained](Lease::drain), and released when no request has come for 50 ms and none is under way. Then the
/// server ends as [`run`] does.
///
/// | Limit | |
/// |---|---|
/// | until everybody has been told | 1 s |
/// | until it is quiet | 2 s |
/// | until it is off the registry's list | 1 s |
/// | [`Limits::drain`], for what is still under way then | 2 s |
///
/// Cancel safe: dropping it closes every connection, and drops the lease as a crash would.
pub async fn run_leased(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    lease: Lease,
    shutdown: impl Future<Output = ()>,
) {
    let traffic = Traffic::default();
    let router = traffic.of(router);
    let left = async {
        shutdown.await;
        lease.drain(DRAIN_LIMIT).await;
        traffic.ceased(QUIET, QUIET_LIMIT).await;
        lease.release().await;
    };
    run(listener, router, limits, left).await;
}
