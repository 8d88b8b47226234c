//! Child processes that end with this program, however it ends.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, process};

use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use tokio::time::timeout;

use crate::Failed;

/// How long a child may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
}

impl Child {
    /// Starts a program by way of [`keep`].
    pub(crate) fn start<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
        output: Stdio,
        errors: Stdio,
    ) -> Result<Self, Failed> {
        let mut command = tokio::process::Command::new(env::current_exe()?);
        command.arg("keep").arg(process::id().to_string()).arg("--").arg(program).args(arguments);
        let process = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn()?;
        Ok(Self { process })
    }

    /// Its number, for as long as it has not been waited for.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.id()
    }

    pub(crate) fn process(&mut self) -> &mut tokio::process::Child {
        &mut self.process
    }

    /// Asks it to end, waits, and insists.
    pub(crate) async fn stop(mut self) -> Result<(), Failed> {
        self.ask_to_end();
        if timeout(PATIENCE, self.process.wait()).await.is_err() {
            self.process.kill().await?;
        }
        Ok(())
    }

    fn ask_to_end(&self) {
        if let Some(id) = self.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            // It may have ended by itself, which is as good.
            let _ = kill_process(id, Signal::TERM);
        }
    }
}

/// TERM and not KILL, so that a program with children of its own can end them.
impl Drop for Child {
    fn drop(&mut self) {
        self.ask_to_end();
    }
}

/// Where a program is installed. Debian has some where only root looks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places.map(|place| place.join(program)).find(|file| file.is_file())
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16, Failed> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Becomes a program that is ended with its parent, even if that is killed. Returns only if that fails.
pub(crate) fn keep(parent: i32, program: &[OsString]) -> Failed {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return error.into();
    }
    if getppid().map(Pid::as_raw_pid) != Some(parent) {
        return "whoever started this has ended".into();
    }
    let [program, arguments @ ..] = program else { return "there is no program to keep".into() };
    Command::new(program).args(arguments).exec().into()
}
