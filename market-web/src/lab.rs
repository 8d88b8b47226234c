//! The lab: the processes that the demo starts, pauses and kills, with real signals.
//!
//! It touches no other process. Each one is a child of the demo that has not been waited for, so that its
//! number cannot have passed to somebody else; see `process`.

mod bench;
mod conduct;
mod ports;
mod process;
mod refused;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mainstay::Address;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tracing::info;

use crate::clients::Known;
use crate::kind::Kind;
use crate::tape::TARGET;
pub use bench::Bench;
pub(crate) use bench::check_free;
pub(crate) use conduct::Conduct;
pub use ports::Ports;
pub(crate) use process::Condition;
use process::Process;
pub(crate) use refused::LabRefused;

/// How long a registry may take until it answers.
const REGISTRY_START: Duration = Duration::from_secs(5);

/// The demo's processes. Clones share them; the last one to go takes the processes with it.
#[derive(Debug, Clone)]
pub struct Lab(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bench: Bench,
    processes: Mutex<Processes>,
}

#[derive(Debug, Default)]
struct Processes {
    registry: Option<Process>,
    /// Killed ones keep their row, and can be started again.
    instances: BTreeMap<(Kind, u32), Process>,
}

/// An instance of the lab.
#[derive(Debug, Clone)]
pub(crate) struct LabInstance {
    pub(crate) number: u32,
    pub(crate) address: Address,
    pub(crate) condition: Condition,
}

/// Which instances to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// As many, of the lowest numbers that are free: their ports too, and in the registry.
    Count(u32),
    /// This one.
    Number(u32),
}

impl Lab {
    /// An empty lab.
    pub fn new(bench: Bench) -> Self {
        Self(Arc::new(Inner { bench, processes: Mutex::default() }))
    }

    /// Its instances of this kind by number, killed ones too.
    pub(crate) fn instances(&self, kind: Kind) -> Vec<LabInstance> {
        let row = |(number, process): (u32, Process)| {
            let address = self.0.bench.address(kind, number);
            LabInstance { number, address, condition: process.condition() }
        };
        self.all(kind).into_iter().map(row).collect()
    }

    /// Whether the registry's process runs.
    pub(crate) fn registry_runs(&self) -> bool {
        self.0.processes.lock().registry.as_ref().is_some_and(Process::is_alive)
    }

    /// Starts instances: all of them, or none and the reason; says where they are. The conduct is a bidder's, the delay also
    /// a backend's.
    pub(crate) fn start(
        &self,
        kind: Kind,
        which: Which,
        conduct: &Conduct,
        known: &Known,
    ) -> Result<Vec<Address>, LabRefused> {
        let bench = &self.0.bench;
        let mut processes = self.0.processes.lock();
        let check = |number: u32| {
            if processes.instances.get(&(kind, number)).is_some_and(Process::is_alive) {
                return Err(LabRefused::Runs(number));
            }
            if known.is_taken(number, &bench.address(kind, number)) {
                return Err(LabRefused::Taken(number));
            }
            check_free(bench.listens(kind, number))
        };
        let numbers: Vec<u32> = match which {
            Which::Number(number) => check(number).map(|()| vec![number])?,
            Which::Count(count) => {
                let free: Vec<u32> =
                    (1..=kind.most).filter(|number| check(*number).is_ok()).take(count as usize).collect();
                if free.len() < count as usize {
                    return Err(LabRefused::Full(kind.most));
                }
                free
            }
        };
        for &number in &numbers {
            let process = Process::spawn(bench.command(kind, number, conduct), kind.list(&[number]))?;
            processes.instances.insert((kind, number), process);
        }
        info!(target: TARGET, "LAB started {}", kind.list(&numbers));
        Ok(numbers.iter().map(|number| bench.address(kind, *number)).collect())
    }

    /// Stops an instance where it stands (SIGSTOP). One that is paused already stays so.
    pub(crate) async fn pause(&self, kind: Kind, number: u32) -> Result<(), LabRefused> {
        if self.alive(kind, number)?.pause().await.map_err(|error| LabRefused::of(error, number))? {
            info!(target: TARGET, "LAB paused {} (SIGSTOP)", kind.list(&[number]));
        }
        Ok(())
    }

    /// Lets a paused instance go on (SIGCONT). One that runs is left alone.
    pub(crate) async fn resume(&self, kind: Kind, number: u32) -> Result<(), LabRefused> {
        if self.alive(kind, number)?.resume().await.map_err(|error| LabRefused::of(error, number))? {
            info!(target: TARGET, "LAB resumed {} (SIGCONT)", kind.list(&[number]));
        }
        Ok(())
    }

    /// Ends an instance without a word (SIGKILL), and waits until it is gone. A killed one stays killed.
    pub(crate) async fn kill(&self, kind: Kind, number: u32) -> Result<(), LabRefused> {
        if self.find(kind, number)?.kill().await {
            info!(target: TARGET, "LAB killed {} (SIGKILL)", kind.list(&[number]));
        }
        Ok(())
    }

    /// Ends all instances of this kind at once.
    pub(crate) async fn kill_all(&self, kind: Kind) {
        let all = self.all(kind);
        let killed = join_all(all.iter().map(async |(number, process)| process.kill().await.then_some(*number))).await;
        let killed = killed.into_iter().flatten().collect::<Vec<_>>();
        if !killed.is_empty() {
            info!(target: TARGET, "LAB killed {} (SIGKILL)", kind.list(&killed));
        }
    }

    /// Starts the registry, and waits until it answers. One that runs is left alone.
    pub(crate) async fn start_registry(&self) -> Result<(), LabRefused> {
        let address = self.0.bench.registry();
        {
            let mut processes = self.0.processes.lock();
            if processes.registry.as_ref().is_some_and(Process::is_alive) {
                return Ok(());
            }
            check_free(address)?;
            processes.registry = Some(Process::spawn(self.0.bench.registry_command(), "the registry".to_owned())?);
        }
        info!(target: TARGET, "LAB started the registry");
        let answers = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(REGISTRY_START, answers).await.map_err(|_| LabRefused::NoRegistry)
    }

    /// Ends the registry without a word (SIGKILL), and waits until it is gone.
    pub(crate) async fn kill_registry(&self) {
        let registry = self.0.processes.lock().registry.clone();
        if let Some(registry) = registry
            && registry.kill().await
        {
            info!(target: TARGET, "LAB stopped the registry (SIGKILL)");
        }
    }

    /// Ends all processes: politely first, and paused ones too. All others go before the registry, so that
    /// they can take their leave of it.
    pub async fn end(&self) {
        let Processes { registry, instances } = std::mem::take(&mut *self.0.processes.lock());
        join_all(instances.values().map(Process::end)).await;
        if let Some(registry) = registry {
            registry.end().await;
        }
    }

    fn all(&self, kind: Kind) -> Vec<(u32, Process)> {
        let processes = self.0.processes.lock();
        let mine = processes.instances.range((kind, 0)..=(kind, u32::MAX));
        mine.map(|((_, number), process)| (*number, process.clone())).collect()
    }

    fn find(&self, kind: Kind, number: u32) -> Result<Process, LabRefused> {
        self.0.processes.lock().instances.get(&(kind, number)).cloned().ok_or(LabRefused::Unknown(number))
    }

    fn alive(&self, kind: Kind, number: u32) -> Result<Process, LabRefused> {
        let process = self.find(kind, number)?;
        if process.is_alive() { Ok(process) } else { Err(LabRefused::Killed(number)) }
    }
}
