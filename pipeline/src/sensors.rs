//! Sensors: a sensor measures, a worker squares what was measured, and an app keeps them going.
//!
//! ```text
//!  by calls, the app asks each second            by messages, everybody tells what they have
//!
//!           ┌──────▶ sensor                       sensor ─────▶ worker ─────▶ app
//!      app ─┤                                         sensor_values  worker_result
//!           └──────▶ worker
//! ```
//!
//! By calls, the whole workflow stands in one place, the app; sensor and worker know nobody. By messages, nobody knows
//! anybody: every channel gets a copy of every reading, and workers share theirs.
//!
//! All are found through the registry, and its address is all that they are told. Where an instance listens is its own
//! matter, and may change: whoever calls it asks for its name.
//!
//! | To see | read |
//! |---|---|
//! | who measures | [`sensor`] |
//! | who squares | [`worker`] |
//! | who keeps them going | [`app`] |
//! | what they are asked, and what they tell | [`mainstay::contracts::sensors`] |
//! | on which channels | `topics` |

pub mod app;
pub mod sensor;
mod topics;
pub mod worker;
