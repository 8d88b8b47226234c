//! What the bench programs are made of.
//!
//! | Module | Holds |
//! |---|---|
//! | [`end_to_end`] | whole calls over loopback, beside other clients and proxies |
//! | [`score`] | what breakers and balances do in awkward scenarios, beside other crates' |

pub mod end_to_end;
pub mod score;
