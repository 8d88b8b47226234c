//! A PostgreSQL of the tests' own: on a free port, in a temporary directory, ended with them.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;

/// How long until it must be ready, in steps of 20 ms.
const READY: u32 = 1000;

pub(super) struct Server {
    binaries: PathBuf,
    directory: TempDir,
    port: u16,
    databases: AtomicU32,
    running: Mutex<Option<Running>>,
}

/// A process, and the thread that has started it: it ends with the thread, however that ends.
struct Running {
    pid: u32,
    end: std::sync::mpsc::Sender<Signal>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Signal {
    Stop,
    Kill,
}

impl Server {
    /// One for all tests that run at the same time.
    pub(super) fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock();
        match shared.upgrade() {
            Some(server) => Some(server),
            None => {
                let server = Arc::new(Self::new()?);
                *shared = Arc::downgrade(&server);
                Some(server)
            }
        }
    }

    pub(super) fn new() -> Option<Self> {
        let Some(binaries) = binaries() else {
            let required = std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1");
            assert!(!required, "there is no PostgreSQL here (Debian: apt-get install postgresql)");
            println!("skipped: there is no PostgreSQL here");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(directory.path()));
        }
        let server = Self { binaries, directory, port, databases: AtomicU32::new(0), running: Mutex::new(None) };
        let mut made = server.command("initdb");
        run(made.arg("-D").arg(server.data()).args([
            "-N",
            "-U",
            "postgres",
            "--auth=trust",
            "--no-locale",
            "-E",
            "UTF8",
        ]));
        server.start();
        Some(server)
    }

    /// A new database's URL.
    pub(super) fn new_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test{number}");
        self.execute("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    pub(super) fn execute(&self, database: &str, sql: &str) {
        let mut psql = self.command("psql");
        psql.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-d", database, "-c", sql]);
        run(&mut psql);
    }

    /// Starts it, and returns when it answers.
    pub(super) fn start(&self) {
        for _ in 0..READY {
            let running = self.try_start();
            let ready = running.is_some();
            *self.running.lock() = running;
            if ready {
                return;
            }
            // Those whom an earlier one has left behind hold its memory for a moment.
            wait();
        }
        panic!(
            "PostgreSQL does not start: {}",
            fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
        );
    }

    fn try_start(&self) -> Option<Running> {
        let mut command = self.command("postgres");
        let (port, directory) = (self.port.to_string(), self.directory.path());
        command.arg("-D").arg(self.data()).args(["-p", &port, "-c", "listen_addresses=127.0.0.1"]);
        command.arg("-k").arg(directory).stderr(fs::File::create(directory.join("log")).unwrap());
        let (end, ends) = std::sync::mpsc::channel();
        let (started, starts) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let mut child = command.spawn().unwrap();
            started.send(child.id()).unwrap();
            let signal = ends.recv().unwrap_or(Signal::Stop);
            stop(&mut child, signal);
        });
        let running = Running { pid: starts.recv().unwrap(), end, thread };
        for _ in 0..READY {
            if self.answers() {
                return Some(running);
            }
            if !Path::new(&format!("/proc/{}/exe", running.pid)).exists() {
                running.ended(Signal::Stop);
                return None;
            }
            wait();
        }
        running.ended(Signal::Kill);
        None
    }

    fn answers(&self) -> bool {
        let mut asked = self.command("pg_isready");
        asked.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status().unwrap().success()
    }

    /// `kill -9`.
    pub(super) fn kill(&self) {
        if let Some(running) = self.running.lock().take() {
            running.ended(Signal::Kill);
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// One of its programs, as a user that it is willing to run as. It ends with the thread that starts it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        if is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        command.args(["--pdeathsig", "INT", "--"]).arg(self.binaries.join(program));
        command.current_dir(self.directory.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Running {
    fn ended(self, signal: Signal) {
        // It may have ended by itself.
        let _ = self.end.send(signal);
        self.thread.join().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.lock().take() {
            running.ended(Signal::Stop);
        }
    }
}

fn stop(child: &mut Child, signal: Signal) {
    if signal == Signal::Kill {
        child.kill().unwrap();
    } else if child.try_wait().unwrap().is_none() {
        // The one that ends it at once, whoever is connected.
        run(Command::new("kill").args(["-INT", &child.id().to_string()]));
    }
    child.wait().unwrap();
}

fn binaries() -> Option<PathBuf> {
    let installed =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    installed.chain(on_path).find(|directory| directory.join("initdb").exists() && directory.join("postgres").exists())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}

fn run(command: &mut Command) {
    let done: io::Result<_> = command.output();
    let done = done.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[expect(clippy::disallowed_methods, reason = "a process that starts says nothing that could be waited for")]
fn wait() {
    thread::sleep(Duration::from_millis(20));
}
