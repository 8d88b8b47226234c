//! Queries that are datagrams.

use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::sleep;
use tracing::warn;

use super::{Resolver, Transport};

/// The longest answer that may be asked for, and the longest query. Longer ones than a few hundred bytes have only
/// options that nobody looks at here.
pub(super) const PAYLOAD: u16 = 4_096;
/// The same in a buffer.
pub(super) const LONGEST: usize = PAYLOAD as usize;
/// How long to wait when the socket fails, so that a failure that stays does not take a core.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Answers one after the other, for as long as it is polled: what an answer costs is less than what handing the query to
/// another task would.
pub(super) async fn serve(socket: &UdpSocket, resolver: &Resolver) {
    // One byte more, to tell what was cut.
    let mut message = [0; LONGEST + 1];
    loop {
        match socket.recv_from(&mut message).await {
            Ok((length, from)) if length <= LONGEST => {
                if let Some(answer) = resolver.answer(&message[..length], Transport::Udp) {
                    // Who cannot be reached asks again, or has left.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
            Ok(_) => {}
            Err(error) => {
                warn!(%error, "no query received");
                sleep(BACK_OFF).await;
            }
        }
    }
}
