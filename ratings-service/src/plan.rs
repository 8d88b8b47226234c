//! Which instances are to run, and the ports they take before any of them does.

use std::error::Error;
use std::net::SocketAddr;
use std::{fmt, io};

use tokio::net::TcpListener;

use crate::Config;

/// One instance that is to run: what it must know, and where it listens.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it must know.
    pub config: Config,
    /// Where it listens.
    pub listen: SocketAddr,
}

/// Takes every plan's port, so that either all instances run, or none.
///
/// # Errors
/// Names the instance that cannot listen, and why.
pub async fn take_ports(plans: Vec<Plan>) -> Result<Vec<(Config, TcpListener)>, CannotListen> {
    let mut ready = Vec::with_capacity(plans.len());
    for Plan { config, listen } in plans {
        match TcpListener::bind(listen).await {
            Ok(listener) => ready.push((config, listener)),
            Err(error) => return Err(CannotListen { number: config.number, listen, error }),
        }
    }
    Ok(ready)
}

/// An instance cannot listen where it should.
#[derive(Debug)]
pub struct CannotListen {
    number: u32,
    listen: SocketAddr,
    error: io::Error,
}

impl fmt::Display for CannotListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, listen, error } = self;
        match error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "port {} is in use; is instance {number} running already? start another with --instance or --port",
                listen.port()
            ),
            _ => write!(f, "instance {number} cannot listen on {listen}: {error}"),
        }
    }
}

impl Error for CannotListen {}
