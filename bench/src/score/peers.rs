//! The breakers, each set up as its own documentation says for what is tried.

mod failsafe;
mod mainstay_breaker;
mod mainstay_client;
mod recloser;
mod seatbelt;
mod tower_resilience;

use super::peer::Entry;

/// Failsafe.
pub const FAILSAFE: Entry = Entry { name: "failsafe", package: "failsafe", build: failsafe::build };

/// Recloser.
pub const RECLOSER: Entry = Entry { name: "recloser", package: "recloser", build: recloser::build };

/// The breaker of tower-resilience.
pub const TOWER_RESILIENCE: Entry =
    Entry { name: "tower-resilience", package: "tower-resilience-circuitbreaker", build: tower_resilience::build };

/// The same with the other one of its windows, which counts time.
pub const TOWER_RESILIENCE_TIMED: Entry = Entry { build: tower_resilience::build_timed, ..TOWER_RESILIENCE };

/// Seatbelt, which counts an abandoned call as a failure.
pub const SEATBELT: Entry = Entry { name: "seatbelt", package: "seatbelt", build: seatbelt::build };

/// The same with its default for abandoned calls: they count only where all were abandoned.
pub const SEATBELT_ABANDONED_DEFAULT: Entry = Entry { build: seatbelt::build_abandoned_default, ..SEATBELT };

/// The same with its default half-open mode, which closes by stages.
pub const SEATBELT_PROGRESSIVE: Entry = Entry { build: seatbelt::build_progressive, ..SEATBELT };

/// A client, with a real connection to an instance that does the work.
pub const MAINSTAY: Entry = Entry { name: "mainstay", package: "mainstay", build: mainstay_client::build };

/// The client's breaker by itself.
pub const MAINSTAY_BREAKER: Entry = Entry { build: mainstay_breaker::build, ..MAINSTAY };

/// The same, which waits for a probe as long as it stays open, and not longer.
pub const MAINSTAY_BREAKER_FORGETFUL: Entry = Entry { build: mainstay_breaker::build_forgetful, ..MAINSTAY };
