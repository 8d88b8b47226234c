//! Registries that serve one and the same list, kept in etcd.
//!
//! One of them **writes**: it is elected by a lease of etcd's, begins with what is kept there, as a registry does after a
//! restart, and does what the only one would do. A batch is one or a few transactions, which count only while it is the
//! one that was elected, so that nobody else's word gets in between. The others **follow** a watch of all keys, and answer
//! from that who asks for lists and watches; what changes something, and what only the writer knows, they **pass on**.
//!
//! | To see | read |
//! |---|---|
//! | what is under which key | `keys`, `rows` |
//! | how a batch is kept, and all of it read | `keep`, `read` |
//! | how a replica begins, follows, is elected, and ceases to write | `beginning`, `follow`, `session`, `run` |
//! | how etcd is kept from growing | `forget` |
//! | who writes, as everybody here sees it | `replicas` |
//! | how requests get to the writer, and what replicas tell one another | `pass`, `hold`, `link`, `inner` |

mod beginning;
mod follow;
mod forget;
mod hold;
mod inner;
mod keep;
mod keys;
mod link;
mod pass;
mod read;
mod replicas;
mod rows;
mod run;
mod session;
mod settings;

pub(crate) use self::inner::routes;
pub(crate) use self::keep::Keep;
pub(crate) use self::pass::pass_on;
pub(crate) use self::replicas::{Replicas, Writes};
pub(crate) use self::run::Replica;
pub use self::settings::Replication;
