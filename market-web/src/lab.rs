//! The lab: the processes that the demo starts, pauses and kills, with real signals.
//!
//! It touches no other process. Each one is a child of the demo that has not been waited for, so that its
//! number cannot have passed to somebody else; see `process`.

mod process;
mod refused;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mainstay::Address;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{sleep, timeout};
use tracing::info;

use crate::tape::TARGET;
pub(crate) use process::Condition;
use process::Process;
pub(crate) use refused::LabRefused;

/// The highest number an instance can have here, and so the most there can be.
pub(crate) const INSTANCES: u32 = 20;

/// How long a registry may take until it answers.
const REGISTRY_START: Duration = Duration::from_secs(5);

/// Where the lab's processes listen, and what they run.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The executable; it must know the demo's roles.
    pub executable: PathBuf,
    /// The registry's port.
    pub registry_port: u16,
    /// The port before instance 1's.
    pub ratings_base_port: u16,
}

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
    ratings: BTreeMap<u32, Process>,
}

/// A ratings instance of the lab.
#[derive(Debug, Clone)]
pub(crate) struct LabInstance {
    pub(crate) number: u32,
    pub(crate) address: Address,
    pub(crate) condition: Condition,
}

/// Which instances to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// As many, of the lowest numbers that do not run.
    Count(u32),
    /// This one.
    Number(u32),
}

impl Lab {
    /// An empty lab.
    pub fn new(bench: Bench) -> Self {
        Self(Arc::new(Inner { bench, processes: Mutex::default() }))
    }

    /// Its instances by number, killed ones too.
    pub(crate) fn ratings(&self) -> Vec<LabInstance> {
        let processes = self.0.processes.lock();
        let row = |(&number, process): (&u32, &Process)| {
            let address = Address::from(self.0.bench.ratings(number));
            LabInstance { number, address, condition: process.condition() }
        };
        processes.ratings.iter().map(row).collect()
    }

    /// Whether the registry's process runs.
    pub(crate) fn registry_runs(&self) -> bool {
        self.0.processes.lock().registry.as_ref().is_some_and(Process::is_alive)
    }

    /// Starts ratings instances: all of them, or none and the reason.
    pub(crate) fn start(&self, which: Which) -> Result<Vec<u32>, LabRefused> {
        let bench = &self.0.bench;
        let mut processes = self.0.processes.lock();
        let runs = |number: &u32| processes.ratings.get(number).is_some_and(Process::is_alive);
        let numbers: Vec<u32> = match which {
            Which::Number(number) if runs(&number) => return Err(LabRefused::Runs(number)),
            Which::Number(number) => vec![number],
            Which::Count(count) => (1..=INSTANCES).filter(|number| !runs(number)).take(count as usize).collect(),
        };
        if matches!(which, Which::Count(count) if numbers.len() < count as usize) {
            return Err(LabRefused::Full);
        }
        for &number in &numbers {
            check_free(bench.ratings(number))?;
        }
        for &number in &numbers {
            let process = Process::spawn(bench.ratings_command(number), format!("#{number}"))?;
            processes.ratings.insert(number, process);
        }
        info!(target: TARGET, "LAB started {}", list(&numbers));
        Ok(numbers)
    }

    /// Stops an instance where it stands (SIGSTOP). One that is paused already stays so.
    pub(crate) async fn pause(&self, number: u32) -> Result<(), LabRefused> {
        if self.alive(number)?.pause().await.map_err(|error| LabRefused::of(error, number))? {
            info!(target: TARGET, "LAB paused #{number} (SIGSTOP)");
        }
        Ok(())
    }

    /// Lets a paused instance go on (SIGCONT). One that runs is left alone.
    pub(crate) async fn resume(&self, number: u32) -> Result<(), LabRefused> {
        if self.alive(number)?.resume().await.map_err(|error| LabRefused::of(error, number))? {
            info!(target: TARGET, "LAB resumed #{number} (SIGCONT)");
        }
        Ok(())
    }

    /// Ends an instance without a word (SIGKILL), and waits until it is gone. A killed one stays killed.
    pub(crate) async fn kill(&self, number: u32) -> Result<(), LabRefused> {
        if self.find(number)?.kill().await {
            info!(target: TARGET, "LAB killed #{number} (SIGKILL)");
        }
        Ok(())
    }

    /// Ends all instances at once.
    pub(crate) async fn kill_all(&self) {
        let all = self.0.processes.lock().ratings.clone();
        let killed = join_all(all.iter().map(async |(number, process)| process.kill().await.then_some(*number))).await;
        let killed = killed.into_iter().flatten().collect::<Vec<_>>();
        if !killed.is_empty() {
            info!(target: TARGET, "LAB killed {} (SIGKILL)", list(&killed));
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

    /// Ends all processes: politely first, and paused ones too. Instances go before the registry, so that
    /// they can take their leave of it.
    pub async fn end(&self) {
        let Processes { registry, ratings } = std::mem::take(&mut *self.0.processes.lock());
        join_all(ratings.values().map(Process::end)).await;
        if let Some(registry) = registry {
            registry.end().await;
        }
    }

    fn find(&self, number: u32) -> Result<Process, LabRefused> {
        self.0.processes.lock().ratings.get(&number).cloned().ok_or(LabRefused::Unknown(number))
    }

    fn alive(&self, number: u32) -> Result<Process, LabRefused> {
        let process = self.find(number)?;
        if process.is_alive() { Ok(process) } else { Err(LabRefused::Killed(number)) }
    }
}

impl Bench {
    fn registry(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.registry_port).into()
    }

    fn ratings(&self, number: u32) -> SocketAddr {
        // The numbers end at INSTANCES, and the demo's arguments leave that much room above the base port.
        let offset = u16::try_from(number).unwrap_or(u16::MAX);
        (Ipv4Addr::LOCALHOST, self.ratings_base_port.saturating_add(offset)).into()
    }

    fn registry_command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["role", "registry", "--listen", &self.registry().to_string()]);
        command
    }

    fn ratings_command(&self, number: u32) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["role", "ratings", "--instance", &number.to_string()]);
        command.args(["--listen", &self.ratings(number).to_string()]);
        command.args(["--registry", Address::from(self.registry()).as_str()]);
        command
    }
}

/// Somebody else's process on the port would be shown as ours.
pub(crate) fn check_free(address: SocketAddr) -> Result<(), LabRefused> {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(LabRefused::Busy(address.port())),
        Err(error) => Err(LabRefused::System(error)),
    }
}

fn list(numbers: &[u32]) -> String {
    numbers.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(" ")
}
