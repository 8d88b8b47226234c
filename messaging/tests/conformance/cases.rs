//! What holds, whatever keeps the messages.

pub(crate) mod asking;
pub(crate) mod dead;
pub(crate) mod full;
pub(crate) mod killed;
pub(crate) mod publishing;
pub(crate) mod redelivery;
pub(crate) mod sharing;
