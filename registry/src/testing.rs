//! What every registry is held to, whatever keeps it, killed or stopped or cut off: the judges that all tests share.
//!
//! | Must hold | Judge |
//! |---|---|
//! | what was acknowledged is durable | [`Acknowledged`] |
//! | revisions only grow | [`Acknowledged`], [`Fold`] |
//! | the fold of a watch is the list at its revision | [`Fold`] |
//! | a list that was not empty becomes empty by what somebody says only | [`Fold`] |
//! | nobody expires early, and nobody late | [`Expiry`] |
//!
//! They ask nobody and open nothing: a test tells them what it has said and what it was told, in whatever way it talks to
//! the registry, and they panic when that cannot be.
//!
//! [`Edge`] is what a fuzzer talks to: whatever it makes of bytes is answered, or refused with a reason.

mod acknowledged;
mod edge;
mod expiry;
mod fold;

pub use self::acknowledged::Acknowledged;
pub use self::edge::Edge;
pub use self::expiry::{Expiry, Terms};
pub use self::fold::Fold;
