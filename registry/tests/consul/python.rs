//! `py-consul`, as its users use it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mainstay_registry::Config;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::agent::Agent;

/// Longer than a virtual environment with one package takes to make.
const INSTALLS: Duration = Duration::from_secs(180);
const RUNS: Duration = Duration::from_secs(60);

/// Runs a program to its end; says what it said, if that is no good one.
async fn run(program: &Path, arguments: &[&str], within: Duration) -> Result<(), String> {
    let name = program.display();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    match timeout(within, command.output()).await {
        Err(_) => Err(format!("{name} {arguments:?} takes longer than {within:?}")),
        Ok(Err(error)) => Err(format!("{name} does not start: {error}")),
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = [output.stdout, output.stderr].concat();
            Err(format!("{name} {arguments:?}: {}: {}", output.status, String::from_utf8_lossy(&said)))
        }
    }
}

/// An interpreter that knows `py-consul`, in a directory of its own.
async fn interpreter(dir: &TempDir) -> Result<std::path::PathBuf, String> {
    let environment = dir.path().join("venv");
    run(Path::new("python3"), &["-m", "venv", &environment.display().to_string()], INSTALLS).await?;
    let python = environment.join("bin/python");
    run(&python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "py-consul"], INSTALLS).await?;
    Ok(python)
}

#[tokio::test]
async fn py_consul_registers_passes_watches_and_deregisters() {
    let dir = TempDir::new().unwrap();
    let python = match interpreter(&dir).await {
        Ok(python) => python,
        Err(why) if std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1") => panic!("{why}"),
        Err(why) => {
            eprintln!("skipped: {why} (Debian: apt-get install python3-venv)");
            return;
        }
    };
    let agent = Agent::start(Config::default()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/consul/client.py");
    let port = agent.address.port().to_string();
    if let Err(why) = run(&python, &[script, &port], RUNS).await {
        panic!("{why}");
    }
    agent.stop().await;
}
