//! Programs that exist already, against a registry that runs.
//!
//! One that is not installed is said and passed by, unless `MAINSTAY_REQUIRE_ENGINES` is 1.

mod haproxy;
mod process;
mod prometheus;
