//! The pipeline: services that work by messages, stage by stage.
//!
//! | System | What it does | read |
//! |---|---|---|
//! | Tasks | a task travels frontend → events → backend, with every step recorded | [`tasks`] |
//! | Sensors | a sensor measures, a worker squares what was measured, and an app keeps them going | [`sensors`] |
//!
//! What their programs have in common: how they find registry and messages (`reach`), how they are found (`instance`),
//! what they listen on and say (`program`), the channels that they agree on (`channel`), the time of day (`clock`).

mod channel;
mod clock;
mod instance;
mod program;
mod reach;
pub mod sensors;
pub mod tasks;
