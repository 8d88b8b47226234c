//! What threads meet at: the ordinary types, or, where the models are run, those of `loom`, which tries every order in
//! which threads may come and every value that they may see.

#[cfg(mainstay_loom)]
mod modelled;

#[cfg(not(mainstay_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[cfg(not(mainstay_loom))]
pub(crate) use arc_swap::{ArcSwap, Guard};
#[cfg(not(mainstay_loom))]
pub(crate) use parking_lot::Mutex;

#[cfg(mainstay_loom)]
pub(crate) use self::modelled::{ArcSwap, AtomicBool, AtomicU64, Guard, Mutex, Ordering};
