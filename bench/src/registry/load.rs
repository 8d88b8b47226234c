//! Instances by the thousand, registered before anything is measured.

use std::net::SocketAddr;

use futures_util::future::try_join_all;
use mainstay::contracts::Call;
use mainstay::contracts::registry::{Register, WATCH};
use mainstay::contracts::wire::Encoded;
use tokio::time::Instant;

use super::http::Connection;
use super::side::instance;
use crate::Failed;

/// How many at once.
const AT_ONCE: u16 = 64;

/// So many instances, in services of at most `each`.
pub(crate) fn instances(count: u32, each: u32) -> Result<Vec<Register>, Failed> {
    (0..count).map(|number| instance(&service(number / each), number)).collect()
}

/// The name of one of the services.
pub(crate) fn service(number: u32) -> String {
    format!("service-{number}")
}

/// What a service's watch is asked with for the first time.
pub(crate) fn watching(service: &str) -> Encoded {
    Encoded { target: WATCH.replace("{service}", service), body: None }
}

pub(crate) async fn register(address: SocketAddr, instances: &[Register]) -> Result<(), Failed> {
    call_all(address, instances).await.map(drop)
}

/// When a call was made, and when it was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) place: usize,
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
}

/// Makes all of these calls, in no order.
pub(crate) async fn call_all<C: Call>(address: SocketAddr, calls: &[C]) -> Result<Vec<Answered>, Failed> {
    let connections = Connection::several(address, AT_ONCE).await?;
    let lanes = connections.into_iter().enumerate().map(|(lane, mut connection)| async move {
        let mut answers = Vec::new();
        for place in (lane..calls.len()).step_by(usize::from(AT_ONCE)) {
            let asked = Instant::now();
            connection.call(&calls[place]).await?;
            answers.push(Answered { place, asked, answered: Instant::now() });
        }
        Ok::<_, Failed>(answers)
    });
    Ok(try_join_all(lanes).await?.into_iter().flatten().collect())
}
