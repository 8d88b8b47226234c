//! `py-consul`, as programs that know Consul use it.
//!
//! It is taken from the Python that is there, or else installed by name in a directory of the test's own. Where neither is
//! to be had, the test says so and passes, unless `MAINSTAY_REQUIRE_ENGINES=1`.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use mainstay_registry::Config;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::client::Running;

/// The longest that one program may take.
const PATIENCE: Duration = Duration::from_secs(120);

async fn ended(program: &Path, args: &[&str]) -> Result<Output, String> {
    let mut command = Command::new(program);
    let output = command.args(args).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(PATIENCE, output).await.map_err(|_| format!("{} takes too long", program.display()))?;
    let output = output.map_err(|error| format!("{} does not start: {error}", program.display()))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{} {}: {said}", program.display(), args.join(" ")))
}

/// A Python that has `py-consul`, and the directory that it is in.
async fn python() -> Result<(PathBuf, TempDir), String> {
    let dir = TempDir::new().map_err(|error| error.to_string())?;
    let there = PathBuf::from("python3");
    if ended(&there, &["-c", "import consul"]).await.is_ok() {
        return Ok((there, dir));
    }
    let environment = dir.path().display().to_string();
    ended(&there, &["-m", "venv", &environment]).await?;
    let own = dir.path().join("bin/python");
    ended(
        &own,
        &[
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--retries",
            "1",
            "--timeout",
            "15",
            "py-consul",
        ],
    )
    .await?;
    Ok((own, dir))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_written_for_consul_keeps_its_keys_and_locks_here() {
    let (python, _dir) = match python().await {
        Ok(found) => found,
        Err(why) => {
            let required = std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1");
            assert!(!required, "py-consul is not to be had: {why}");
            return println!("skipped: py-consul is not to be had: {why}");
        }
    };
    let registry = Running::start(Config::default()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kv/locks.py");
    let (host, port) = (registry.address.ip().to_string(), registry.address.port().to_string());
    let output = ended(&python, &[script, &host, &port]).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "done");
    registry.stop().await;
}
