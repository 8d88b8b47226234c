//! Events: keeps a record of every task, has it done, and answers whoever waits for it.
//!
//! | When | it |
//! |---|---|
//! | somebody wants a task done | begins its record, and the task for the backends leaves with it |
//! | … and an identical one is under way | writes down that they wait for it too |
//! | … and an identical one has been done | answers from its record |
//! | a backend has done it | finishes the record, and an answer for everybody who waits leaves with it |
//! | nobody has done it in time | closes the record, and tells those who still have time; an identical one begins anew |
//!
//! | It is asked | and answers |
//! |---|---|
//! | `GET /tasks/{id}` | a task with its steps, or 404 |
//! | `GET /tasks?until=1789000000000&most=50` | the tasks up to a point in time as they were then, newest first |
//!
//! | Limit | |
//! |---|---|
//! | records | of a day, and at most 100 000 that have ended: older ones are forgotten, and answer nobody |
//! | tasks that are shared | those of up to 1 KiB; a longer one is done for each who wants it |
//!
//! | To see | read |
//! |---|---|
//! | what is written when | `book` |
//! | what a record looks like from outside | `view` |
//! | how it is started | [`Args`] |

mod args;
mod book;
mod http;
mod view;

use std::future::Future;
use std::io;
use std::sync::Arc;

use futures_util::FutureExt as _;
use mainstay::Address;
use mainstay::contracts::tasks::Events;
use mainstay_messaging::Messages;
use mainstay_records::Records;
use tokio::net::TcpListener;

pub use self::args::Args;
use self::book::Book;
use super::topics::{ASKED, DONE, TO_DO};
use crate::instance::{self, Who};

/// Messages of a channel that are handled at once: what is written at once shares one write to the disk.
const AT_ONCE: usize = 256;

/// What the events service must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the registry is. It may be away.
    pub registry: Address,
    /// Where messages are kept.
    pub messages: Messages,
    /// Where records are kept.
    pub records: Records,
}

/// Keeps records of tasks, and answers on `listener`, registered as `events-<port>`, until `shutdown` resolves.
///
/// The end is clean: messages that are being handled have up to 2 s. Whatever it has not done by then, and whatever comes
/// while it is away, it does when it is back.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let shutdown = shutdown.shared();
    let Config { registry, messages, records } = config;
    let who = Who { id: format!("events-{}", listener.local_addr()?.port()), number: None, registry };
    let book = Arc::new(Book::new(messages.clone(), records.clone()));

    let until = || async {
        shutdown.clone().await;
    };
    let beginning = async {
        tokio::select! {
            // There before the first backend, so that what is to be done waits for it.
            () = TO_DO.declare(&messages) => {}
            () = until() => return,
        }
        let book = Arc::clone(&book);
        ASKED.consume(&messages, AT_ONCE, move |delivery| Arc::clone(&book).asked(delivery), until()).await;
    };
    let finishing = {
        let book = Arc::clone(&book);
        DONE.consume(&messages, AT_ONCE, move |delivery| Arc::clone(&book).done(delivery), until())
    };
    let closing = async {
        tokio::select! {
            () = book.keep() => {}
            () = until() => {}
        }
    };
    let serving = instance::serve::<Events>(who, listener, http::router(&records), until());
    tokio::join!(serving, beginning, finishing, closing).0
}
