//! The programs: what they print, how they end.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::http::get;
use crate::plant::{free_port, in_time};
use crate::processes::{BACKEND, EVENTS, TASKS};

const SENSOR: &str = env!("CARGO_BIN_EXE_sensor");
const WORKER: &str = env!("CARGO_BIN_EXE_worker");
const APP: &str = env!("CARGO_BIN_EXE_app");
const ALL: [(&str, &str); 6] =
    [(TASKS, "tasks"), (EVENTS, "events"), (BACKEND, "backend"), (SENSOR, "sensor"), (WORKER, "worker"), (APP, "app")];

/// A program that finds neither a registry nor a hub.
fn program(path: &str, args: &[&str], directory: &std::path::Path) -> Child {
    Command::new(path)
        .args(args)
        .args(["--registry", "127.0.0.1:1"])
        .current_dir(directory)
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn each_says_where_it_listens_and_ends_on_either_signal_though_it_is_alone() {
    let directory = tempfile::tempdir().unwrap();
    for (path, name) in ALL {
        for signal in ["-TERM", "-INT"] {
            let mut program = program(path, &["--port", "0"], directory.path());
            let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
            let line = in_time(lines.next_line()).await.unwrap().expect("a line");
            let (who, address) = line.split_once(" on http://").unwrap_or_else(|| panic!("{line:?}"));
            assert!(who.starts_with(name), "{line}");
            assert_eq!(in_time(get(address.parse().unwrap(), "/health")).await.status, 200, "{name}");
            let id = program.id().unwrap().to_string();
            assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
            assert!(in_time(program.wait()).await.unwrap().success(), "{name} {signal}");
        }
    }
}

#[tokio::test]
async fn a_busy_port_is_one_line_and_exit_code_1() {
    let directory = tempfile::tempdir().unwrap();
    let (address, _listener) = free_port().await;
    let port = address.port().to_string();
    for (path, name) in ALL {
        let mut program = program(path, &["--port", &port], directory.path());
        let mut said = String::new();
        in_time(program.stderr.take().unwrap().read_to_string(&mut said)).await.unwrap();
        assert_eq!(in_time(program.wait()).await.unwrap().code(), Some(1), "{name}");
        assert!(said.starts_with(&format!("{name}: port {port} is in use; ")) && said.lines().count() == 1, "{said}");
    }
}

#[tokio::test]
async fn a_bad_url_is_one_line_and_exit_code_1() {
    let directory = tempfile::tempdir().unwrap();
    for (path, name, args) in [
        (TASKS, "tasks", ["--messages", "redis://127.0.0.1:6379"]),
        (BACKEND, "backend", ["--messages", "hub:8500"]),
        (EVENTS, "events", ["--records", "mysql://127.0.0.1"]),
    ] {
        let mut program = program(path, &[&["--port", "0"], &args[..]].concat(), directory.path());
        let mut said = String::new();
        in_time(program.stderr.take().unwrap().read_to_string(&mut said)).await.unwrap();
        assert_eq!(in_time(program.wait()).await.unwrap().code(), Some(1), "{name}");
        assert!(said.starts_with(&format!("{name}: ")) && said.lines().count() == 1, "{said}");
    }
}

#[tokio::test]
async fn each_teaches_how_it_is_used() {
    for (path, name) in ALL {
        let help = Command::new(path).arg("--help").output().await.unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        assert!(help.contains("Examples, with mainstay-registry") && help.contains(&format!("\n  {name} ")), "{help}");
    }
}
