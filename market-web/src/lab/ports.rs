//! Which ports the demo's processes take.

use std::io;

use clap::builder::RangedI64ValueParser;
use clap::value_parser;

use crate::kind::{Kind, MANY};

/// The ports of the demo's processes.
#[derive(Debug, Clone, clap::Args)]
pub struct Ports {
    /// The registry's port
    #[arg(long, value_name = "PORT", default_value_t = 8500, value_parser = port())]
    pub registry_port: u16,

    /// Ratings instance N listens on this port + N
    #[arg(long, value_name = "PORT", default_value_t = 8000, value_parser = base())]
    pub ratings_base_port: u16,

    /// The auction service's port
    #[arg(long, value_name = "PORT", default_value_t = 9090, value_parser = port())]
    pub auction_port: u16,

    /// Bidder N listens on this port + N
    #[arg(long, value_name = "PORT", default_value_t = 9090, value_parser = base())]
    pub bidders_base_port: u16,

    /// The hub's port
    #[arg(long, value_name = "PORT", default_value_t = 8700, value_parser = port())]
    pub hub_port: u16,

    /// The quotes service's port
    #[arg(long, value_name = "PORT", default_value_t = 9080, value_parser = port())]
    pub quotes_port: u16,

    /// Provider N listens on this port + N
    #[arg(long, value_name = "PORT", default_value_t = 9110, value_parser = base())]
    pub providers_base_port: u16,

    /// The tasks' frontend's port
    #[arg(long, value_name = "PORT", default_value_t = 4000, value_parser = port())]
    pub tasks_port: u16,

    /// The events service's port
    #[arg(long, value_name = "PORT", default_value_t = 4001, value_parser = port())]
    pub events_port: u16,

    /// Backend N listens on this port + N
    #[arg(long, value_name = "PORT", default_value_t = 4010, value_parser = base())]
    pub backends_base_port: u16,

    /// The sensor's port
    #[arg(long, value_name = "PORT", default_value_t = 9001, value_parser = port())]
    pub sensor_port: u16,

    /// Worker N listens on this port + N
    #[arg(long, value_name = "PORT", default_value_t = 9001, value_parser = base())]
    pub workers_base_port: u16,

    /// The sensors' app's port
    #[arg(long, value_name = "PORT", default_value_t = 9000, value_parser = port())]
    pub app_port: u16,
}

fn port() -> RangedI64ValueParser<u16> {
    value_parser!(u16).range(1..)
}

/// Leaves room for the highest number.
fn base() -> RangedI64ValueParser<u16> {
    value_parser!(u16).range(1..=i64::from(u16::MAX) - i64::from(MANY))
}

impl Ports {
    /// Ports side by side, above this one.
    pub fn above(port: u16) -> Self {
        // Whoever asks for ports that do not exist is told so where they are taken.
        let nth = |offset: u32| port.saturating_add(offset as u16);
        Self {
            ratings_base_port: nth(0),
            bidders_base_port: nth(MANY),
            providers_base_port: nth(2 * MANY),
            backends_base_port: nth(3 * MANY),
            workers_base_port: nth(4 * MANY),
            registry_port: nth(5 * MANY + 1),
            auction_port: nth(5 * MANY + 2),
            hub_port: nth(5 * MANY + 3),
            quotes_port: nth(5 * MANY + 4),
            tasks_port: nth(5 * MANY + 5),
            events_port: nth(5 * MANY + 6),
            sensor_port: nth(5 * MANY + 7),
            app_port: nth(5 * MANY + 8),
        }
    }

    /// Refuses two programs on one port.
    ///
    /// # Errors
    /// When there are two, one of which may be the Market.
    pub(crate) fn check(&self, market: u16) -> io::Result<()> {
        let one = |port: u16| u32::from(port)..=u32::from(port);
        let mut taken = vec![("--port", one(market)), ("--registry-port", one(self.registry_port))];
        taken.extend(Kind::ALL.map(|kind| {
            let base = u32::from((kind.base_port)(self));
            (kind.option, base + 1..=base + kind.most)
        }));
        for (index, (option, ports)) in taken.iter().enumerate() {
            let clash =
                taken[..index].iter().find(|(_, other)| ports.start() <= other.end() && other.start() <= ports.end());
            if let Some((other, _)) = clash {
                return Err(io::Error::other(format!(
                    "{other} and {option} name the same port; instance N takes the base port + N, N up to {MANY}"
                )));
            }
        }
        Ok(())
    }
}
