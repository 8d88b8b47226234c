//! One process of the lab, owned by one task.
//!
//! Only that task holds the [`Child`], sends it signals and waits for it. So a signal can never go to a
//! process number that the system has given to somebody else since: the number stays taken until the task
//! has waited for it.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde::Serialize;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tracing::info;

use crate::tape::TARGET;

/// How long a process may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_millis(700);

/// How often it is looked whether a signal has taken effect, and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const LOOKS: u32 = 500;

/// What we did to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Condition {
    Running,
    Paused,
    /// It ended, by us or by itself.
    Killed,
}

/// A handle on a process. When the last one is dropped, so is the process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    orders: mpsc::Sender<(Order, oneshot::Sender<io::Result<bool>>)>,
    condition: watch::Receiver<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Pause,
    Resume,
    Kill,
    End,
}

impl Process {
    /// Starts a process. It is in a group of its own, so that ^C in the terminal comes to the demo alone,
    /// which then ends its processes in order. Its standard input is its lifeline: it closes with the demo.
    pub(super) fn spawn(mut command: Command, name: String) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (orders, inbox) = mpsc::channel(16);
        let (condition, watched) = watch::channel(Condition::Running);
        // Waiting for a child closes its standard input, unless somebody else holds it.
        let lifeline = child.stdin.take();
        tokio::spawn(Keeper { child, _lifeline: lifeline, condition, name }.run(inbox));
        Ok(Self { orders, condition: watched })
    }

    pub(super) fn condition(&self) -> Condition {
        *self.condition.borrow()
    }

    pub(super) fn is_alive(&self) -> bool {
        self.condition() != Condition::Killed
    }

    /// Returns when the process stands still; whether it was running before.
    pub(super) async fn pause(&self) -> io::Result<bool> {
        self.order(Order::Pause).await
    }

    /// Returns when the process goes on; whether it was paused before.
    pub(super) async fn resume(&self) -> io::Result<bool> {
        self.order(Order::Resume).await
    }

    /// Returns when the process is gone; whether it was there before.
    pub(super) async fn kill(&self) -> bool {
        self.order(Order::Kill).await.unwrap_or(false)
    }

    /// Asks the process to end, and ends it when it does not.
    pub(super) async fn end(&self) {
        // A process that is gone has nothing left to end.
        let _ = self.order(Order::End).await;
    }

    async fn order(&self, order: Order) -> io::Result<bool> {
        let (reply, answer) = oneshot::channel();
        if self.orders.send((order, reply)).await.is_err() {
            return Ok(false);
        }
        answer.await.unwrap_or(Ok(false))
    }
}

/// The task that owns the process.
struct Keeper {
    child: Child,
    _lifeline: Option<ChildStdin>,
    condition: watch::Sender<Condition>,
    name: String,
}

impl Keeper {
    async fn run(mut self, mut inbox: mpsc::Receiver<(Order, oneshot::Sender<io::Result<bool>>)>) {
        loop {
            tokio::select! {
                status = self.child.wait() => {
                    self.condition.send_replace(Condition::Killed);
                    info!(target: TARGET, "LAB {} ended by itself: {}", self.name, shown(status));
                    return;
                }
                order = inbox.recv() => {
                    let Some((order, reply)) = order else { return };
                    let done = self.carry_out(order).await;
                    // Whoever gave the order may have gone away; it is carried out all the same.
                    let _ = reply.send(done);
                    if matches!(order, Order::Kill | Order::End) {
                        return;
                    }
                }
            }
        }
    }

    async fn carry_out(&mut self, order: Order) -> io::Result<bool> {
        let paused = *self.condition.borrow() == Condition::Paused;
        match order {
            Order::Pause if paused => return Ok(false),
            Order::Resume if !paused => return Ok(false),
            Order::Pause => {
                self.signal(Signal::STOP)?;
                self.has_become(WaitIdOptions::STOPPED).await?;
                self.condition.send_replace(Condition::Paused);
            }
            Order::Resume => {
                self.signal(Signal::CONT)?;
                self.has_become(WaitIdOptions::CONTINUED).await?;
                self.condition.send_replace(Condition::Running);
            }
            Order::Kill => {
                self.child.kill().await?;
                self.condition.send_replace(Condition::Killed);
            }
            Order::End => {
                self.signal(Signal::TERM)?;
                // A paused process does not hear the other signal before this one.
                self.signal(Signal::CONT)?;
                if timeout(PATIENCE, self.child.wait()).await.is_err() {
                    self.child.kill().await?;
                }
                self.condition.send_replace(Condition::Killed);
            }
        }
        Ok(true)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// Sending a signal is not yet its effect: the kernel says when the process has stopped or gone on.
    async fn has_become(&self, what: WaitIdOptions) -> io::Result<()> {
        let pid = self.pid()?;
        for _ in 0..LOOKS {
            if waitid(WaitId::Pid(pid), what | WaitIdOptions::NOHANG)?.is_some() {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "the signal took no effect"))
    }

    fn pid(&self) -> io::Result<Pid> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the process has ended"))
    }
}

fn shown(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
