//! What the Market must know before it opens.

use mainstay::Address;

use crate::lab::Lab;
use crate::tape::Tape;

/// What the Market must know before it opens. The default is the plain shop: no ratings, no lab.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The registry to find instances through; without one there are neither ratings nor auctions, and no traffic.
    pub registry: Option<Address>,
    /// The processes that the page's buttons act on; only the demo has them.
    pub lab: Option<Lab>,
    /// Hears the console's lines, for the page. A default one stays empty.
    pub tape: Tape,
}
