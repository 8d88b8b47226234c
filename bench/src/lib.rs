//! What the bench programs are made of.
//!
//! | Module | Holds |
//! |---|---|
//! | [`end_to_end`] | whole calls over loopback, beside other clients and proxies |
//! | [`messages`] | publishing and asking by messages, beside Redis Streams and NATS JetStream |
//! | [`registry`] | who is there, durable, watched and restarted, beside etcd and Redis |
//! | [`score`] | what breakers and balances do in awkward scenarios, beside other crates' |

mod child;
pub mod end_to_end;
mod latency;
pub mod messages;
pub mod registry;
mod rows;
pub mod score;
mod stats;

type Failed = Box<dyn std::error::Error + Send + Sync>;
