//! The frontend: `POST /task` takes a task, and waits for its result.
//!
//! | It is asked | and answers |
//! |---|---|
//! | `GET /` | 200 `"OK"` |
//! | `GET /health` | 200 |
//! | `POST /task`, such as `{"a1":5,"a2":10}` | 200 `{"message":"OK","result":"15"}` |
//! | … with what is no task, or cannot be done | 400 |
//! | … and nobody does it within 5 s | 504 |
//! | … and messages cannot be sent, or there is no room for one more | 503 |
//! | anything else | 404, or 405 |
//!
//! All but 200 say why: `{"message":"FAIL","reason":"division by zero"}`. The content type of a request is not looked at.
//! What is refused before it is read has a reason only: a body that is larger than 64 KiB (413), or takes longer than
//! 10 s (408).
//!
//! Two headers go with an answer that has a record, so that its body is the same for all identical tasks:
//!
//! | Header | says |
//! |---|---|
//! | `task-id` | the id of its record: `GET :4001/tasks/{id}` |
//! | `task-from` | `execution`: it was done for this request, or for an identical one that was under way; `record`: it had been done before |

mod args;
mod desk;
mod http;

use std::future::Future;
use std::io;

use futures_util::FutureExt as _;
use mainstay::Address;
use mainstay::contracts::tasks::Tasks;
use mainstay_messaging::Messages;
use tokio::net::TcpListener;

pub use self::args::Args;
use self::desk::Desk;
use crate::instance::{self, Who};

/// What the frontend must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the registry is. It may be away.
    pub registry: Address,
    /// Where messages are kept.
    pub messages: Messages,
}

/// Takes tasks on `listener`, registered as `tasks-<port>`, until `shutdown` resolves.
///
/// The end is clean: the frontend leaves the registry first, then waits up to 2 s for the tasks that it has taken.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let shutdown = shutdown.shared();
    let port = listener.local_addr()?.port();
    let desk = Desk::new(config.messages, &config.registry)?;
    let who = Who { id: format!("tasks-{port}"), number: None, registry: config.registry };
    let opening = async {
        tokio::select! {
            () = desk.open() => {}
            () = shutdown.clone() => {}
        }
    };
    let serving = instance::serve::<Tasks>(who, listener, http::router(desk.clone()), shutdown.clone());
    tokio::join!(serving, opening).0
}
