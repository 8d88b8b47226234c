//! Tasks: a frontend takes them, the events service keeps a record of each, and backends do them.
//!
//! ```text
//!              task_asked            task, to one backend
//!  frontend ──────────────▶ events ──────────────────────▶ backend
//!     ▲                       │ ▲                             │
//!     └───── task_answered ───┘ └────────── task_done ────────┘
//! ```
//!
//! Each arrow is a message, and whoever is killed between two of them gets the first one again. A record and the messages
//! that follow from it are one transaction. So a task whose frontend still waits is answered, whoever else dies, and its
//! effect comes once: the first `task_done` finishes the record, and a later one finds it finished.
//!
//! | To see | read |
//! |---|---|
//! | what a task is, and what it is not | [`Request`], [`Number`] |
//! | what kinds there are; where to add one | [`KINDS`], `kinds` |
//! | who takes tasks, and what it answers | [`frontend`] |
//! | who keeps the records | [`events`] |
//! | who does them | [`backend`] |
//! | what they tell each other | [`mainstay::contracts::tasks`] |
//! | on which channels | `topics` |

pub mod backend;
pub mod events;
pub mod frontend;
mod kinds;
mod number;
mod request;
mod topics;

pub use self::kinds::{KINDS, Kind};
pub use self::number::Number;
pub use self::request::{BadTask, Request};
pub use self::topics::PATIENCE;
