//! What the bench programs share.

pub mod score;
