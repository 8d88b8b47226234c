//! The program: what it prints, how it ends.

use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{ask, free_port, get, port_for_program};

fn program(args: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ratings-service"))
        .args(args.split_whitespace())
        .args(["--registry", "127.0.0.1:1"])
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn said(mut program: Child) -> (ExitStatus, String) {
    let mut said = String::new();
    program.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
    (program.wait().await.unwrap(), said)
}

#[tokio::test]
async fn a_busy_port_is_one_line_and_exit_code_1() {
    let busy = free_port().await;
    let port = busy.local_addr().unwrap().port();
    let (status, said) = said(program(&format!("--instance 1 --base-port {}", port - 1))).await;
    assert_eq!(status.code(), Some(1));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with(&format!("ratings-service: port {port} is in use; ")), "{said}");
}

#[tokio::test]
async fn a_port_that_does_not_exist_is_one_line_and_exit_code_1() {
    let (status, said) = said(program("--count 2 --base-port 65534")).await;
    assert_eq!(status.code(), Some(1));
    assert_eq!(said, "ratings-service: instance 2 would need port 65536, and ports end at 65535\n");
}

#[tokio::test]
async fn it_says_where_it_listens_and_ends_on_either_signal() {
    for signal in ["-TERM", "-INT"] {
        let port = port_for_program().await;
        let mut program = program(&format!("--instance 1 --base-port {}", port - 1));
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        assert_eq!(line, format!("ratings instance 1 on http://127.0.0.1:{port}"));
        assert_eq!(ask(([127, 0, 0, 1], port).into(), get("/health").as_bytes()).await.status, 200);

        let id = program.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
        assert!(program.wait().await.unwrap().success(), "{signal}");
    }
}
