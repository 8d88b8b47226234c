//! The registry as Consul's clients meet it.

mod access;
mod agent;
mod durable;
mod natives;
mod python;
mod refusals;
#[path = "../common/running.rs"]
mod running;
mod shapes;
