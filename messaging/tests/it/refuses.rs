//! A disk that refuses to be written to.

use std::net::SocketAddr;
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Answer, ask, directory, port_for_program, request, within};

/// A hub that is told when a file may not grow, and not ended by it.
async fn hub(port: u16, data: &str) -> Child {
    let mut hub = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_hub")])
        .args(["--listen", &format!("127.0.0.1:{port}"), "--data", data, "--registry", "127.0.0.1:1"])
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let line = within(BufReader::new(hub.stdout.take().unwrap()).lines().next_line()).await.unwrap();
    assert!(line.is_some(), "the hub starts");
    hub
}

fn let_files_grow_to(hub: &Child, bytes: Option<u64>) {
    let pid = Pid::from_raw(hub.id().unwrap().try_into().unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

async fn post(address: SocketAddr, path: &str, body: Value) -> Answer {
    ask(address, &request("POST", path, body.to_string().as_bytes())).await
}

async fn publish(address: SocketAddr, id: u64) -> Answer {
    let message = json!({ "id": id.to_string(), "topic": "t", "body": "x".repeat(1_000) });
    post(address, "/publish", json!({ "messages": [message] })).await
}

#[tokio::test]
async fn a_disk_that_refuses_is_told_and_everything_goes_on_when_it_does_not() {
    let (directory, port) = (directory(), port_for_program().await);
    let (data, address) = (directory.path().to_string_lossy(), SocketAddr::from(([127, 0, 0, 1], port)));
    let mut running = hub(port, &data).await;
    post(address, "/declare", json!({ "topic": "t", "channel": "c", "rules": {} })).await;
    let health = async || ask(address, &request("GET", "/health", b"")).await;
    assert_eq!(health().await.status, 200);

    for id in 0..5 {
        assert_eq!(publish(address, id).await.body, json!(["taken"]));
    }
    let_files_grow_to(&running, Some(4096));
    let refused = publish(address, 5).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.reason().contains("cannot be written"), "{refused:?}");
    let sick = health().await;
    assert!(sick.status == 503 && sick.reason().contains("cannot be written"), "{sick:?}");

    let_files_grow_to(&running, None);
    assert_eq!(health().await.status, 200);
    assert_eq!(publish(address, 5).await.body, json!(["taken"]));
    running.kill().await.unwrap();

    let _running = hub(port, &data).await;
    let topics = ask(address, &request("GET", "/topics", b"")).await.body;
    assert_eq!(topics[0]["channels"][0]["waiting"], json!(6), "{topics}");
}
