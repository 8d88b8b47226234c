//! Records: requests with their replies, state and times, which outlive whoever keeps them.
//!
//! A record, and the messages that follow from it, are one transaction: the messages go into an outbox beside it, and
//! are published from there until they are taken. So a crash between the two neither loses nor doubles a request.
//!
//! ```no_run
//! use mainstay_messaging::{Envelope, Messages};
//! use mainstay_records::{Begun, Ending, New, Records};
//! # #[derive(serde::Serialize, serde::Deserialize)] struct Sum { a: i64, b: i64 }
//! # impl mainstay_messaging::Message for Sum { const TOPIC: &'static str = "sums"; }
//!
//! # async fn run(messages: Messages) -> Result<(), Box<dyn std::error::Error>> {
//! let records = Records::open("sqlite:data/records.db", messages).await?;
//! let sum = Sum { a: 5, b: 10 };
//! let new = New::of("sums", &sum)?.shared_as("5+10").step("received", "frontend");
//! let ask = Envelope::new(new.id(), &sum)?;
//! match records.begin(new.publish(ask)).await? {
//!     Begun::New(id) => println!("{id} is under way"),
//!     Begun::UnderWay(record) => println!("so it was already, since {:?}", record.received),
//!     Begun::Done(record) => println!("it was answered before: {:?}", record.result::<i64>()?),
//! }
//! # let id = "";
//! let first = records.finish(id, Ending::complete().result(&15)?.step("finished", "events")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | To see | read |
//! |---|---|
//! | how to begin, reply, finish and look | [`Records`] |
//! | where they are kept, by one setting | [`Records::open`] |
//! | what is kept of a request | [`Record`] |
//! | what is said at its beginning, and at its end | [`New`], [`Ending`] |
//! | what a live page follows | [`Changes`] |
//! | why not | [`Error`] |
//! | how messages leave | `relay` |
//! | what every store does; those there are | `store` |
//!
//! # Limits
//!
//! | Of | at most | beyond it |
//! |---|---|---|
//! | a request, result or reply | 1 MiB | refused |
//! | a name (kind, step, who) | 128 bytes | refused |
//! | a fingerprint | 1 KiB | refused |
//! | replies to a request | as many as were asked | [`Replied::Ended`] |
//! | steps of a record | 100 | an error, [`is_full`](Error::is_full) |
//! | who waits for one | 1000 | an error, [`is_full`](Error::is_full) |
//! | messages in the outbox | 100 000, or somewhat more | nothing is begun: an error, [`is_full`](Error::is_full) |
//! | records at once from [`history`](Records::history) and its like | 1000 | the first 1000 |
//! | how long a call may take, or a step of [`prune`](Records::prune) | 5 s | an error, [`is_unavailable`](Error::is_unavailable) |
//!
//! # What is logged
//!
//! | Target | Level | Lines |
//! |---|---|---|
//! | `mainstay::records` | info, warn | a store that is away or back; messages that cannot be published |

mod changes;
mod ending;
mod error;
mod limits;
mod new;
mod record;
mod records;
mod relay;
mod store;
#[cfg(test)]
mod tests;
mod time;

pub use self::changes::{Change, Changes};
pub use self::ending::Ending;
pub use self::error::Error;
pub use self::new::{Begun, New};
pub use self::record::{Record, Replied, Reply, State, Step, Waiter};
pub use self::records::Records;
