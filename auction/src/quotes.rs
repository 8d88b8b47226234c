//! Quotes: a request goes to every provider by message, and their quotes are collected as they come.
//!
//! `POST /submit-instant-ride-rfq` is answered as soon as the request is on disk, and waits for no provider: the request
//! and the messages to those who are asked are one transaction, and the messages leave by themselves. What comes back
//! is stored once for each provider, until all have answered or the time is over.
//!
//! | To see | read |
//! |---|---|
//! | the service | [`run()`], `http` |
//! | what is kept of a request, and how it is told | `kept` |
//! | who is asked | `desk` |
//! | what becomes of a quote | `collect` |
//! | how requests end, and who is heard first after a restart | `close`, `hold` |
//! | quotes as they arrive | `live` |
//! | how it is started | [`Args`] |
//!
//! # What the service answers
//!
//! | | is answered |
//! |---|---|
//! | `POST /submit-instant-ride-rfq`, `{"from":"Frankfurt","to":"Las Vegas","customer":"cmr"}` | 201 `{"rfq-id":"…"}` |
//! | `GET /query-instant-ride-rfq/{id}` | 200, and how it stands |
//! | `GET /query-instant-ride-rfq/{id}/events` | the quotes as they arrive, as server-sent events |
//! | `GET /quotes?most=20` | 200, the newest requests |
//! | `GET /quotes/counters` | 200, what became of all quotes since the start |
//! | `GET /health` | 200 |
//! | not JSON; a field that is missing, blank, no text or too long | 400, naming the field |
//! | an id that is unknown, or none | 404, as any other path |
//! | another content type than JSON | 415 |
//! | no room, or no database | 503 |
//!
//! What is refused says why: `{"reason":"…"}`. An id that a client sends along is ignored.
//!
//! ```json
//! {"rfq-id":"0193…","from":"Frankfurt","to":"Las Vegas","customer":"cmr","state":"open","asked":10,"answered":2,
//!  "closes_in_ms":41200,"best":{"responder":"UnicornManagementResource1","quote":16},
//!  "quotes":[{"responder":"UnicornManagementResource1","quote":16},{"responder":"UnicornManagementResource10","quote":90}]}
//! ```
//!
//! A request is `open`; `complete` when all that were asked have answered; `closed` when its time was over before. Who was
//! asked is who was in the registry when it was submitted: with nobody there, it is kept all the same, and closes without
//! a quote. `best` is the lowest, or `null`.
//!
//! The events are a `quote` for each, in the order of their coming, and then one `over`, with what the query says; those that
//! were there before come first.
//!
//! # Limits
//!
//! | Of | at most |
//! |---|---|
//! | a field | 200 characters |
//! | who is asked by one request | 1000 |
//! | live streams | 256; then 503 |
//! | requests in one list | 100 |
//! | how long one is open | a day |
//! | requests that are kept | 100 000, a week each |

mod args;
mod close;
mod collect;
mod desk;
mod hold;
mod http;
mod kept;
mod live;
mod run;
mod submit;
mod tally;

pub use self::args::Args;
pub use self::run::{Config, run};
