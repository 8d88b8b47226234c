//! The program: what it prints, how it ends.

use std::process::ExitStatus;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::{ask, directory, free_port, port_for_program, program, request, within};

const NOWHERE: [&str; 2] = ["--registry", "127.0.0.1:1"];

fn hub(listen: &str, data: &str) -> Child {
    program(&[&["--listen", listen, "--data", data], NOWHERE.as_slice()].concat())
}

/// The line in which it says where it listens.
async fn line(program: &mut Child) -> String {
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    within(lines.next_line()).await.unwrap().unwrap_or_default()
}

async fn ended(mut program: Child) -> (ExitStatus, String) {
    let mut said = String::new();
    within(program.stderr.take().unwrap().read_to_string(&mut said)).await.unwrap();
    (within(program.wait()).await.unwrap(), said)
}

#[tokio::test]
async fn it_says_where_it_listens_and_ends_on_either_signal() {
    let directory = directory();
    let data = directory.path().join("made/by/itself").to_string_lossy().into_owned();
    for signal in ["-TERM", "-INT"] {
        let port = port_for_program().await;
        let mut hub = hub(&format!("127.0.0.1:{port}"), &data);
        assert_eq!(line(&mut hub).await, format!("hub on http://127.0.0.1:{port}, its messages in {data}"));
        let address = ([127, 0, 0, 1], port).into();
        assert_eq!(ask(address, &request("GET", "/health", b"")).await.body, json!({ "status": "ok" }));
        assert_eq!(ask(address, &request("GET", "/", b"")).await.body["service"], json!("hub"));

        let id = hub.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
        assert!(within(hub.wait()).await.unwrap().success(), "{signal}");
    }
}

#[tokio::test]
async fn a_directory_that_another_hub_has_is_one_line_and_exit_code_1() {
    let directory = directory();
    let data = directory.path().to_string_lossy();
    let mut first = hub("127.0.0.1:0", &data);
    assert!(line(&mut first).await.starts_with("hub on"));
    let (status, said) = ended(hub("127.0.0.1:0", &data)).await;
    assert_eq!((status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("hub: ") && said.contains("is in use"), "{said}");
}

#[tokio::test]
async fn a_damaged_file_is_said_and_left_as_it_is() {
    let directory = directory();
    let data = directory.path().to_string_lossy();
    let mut first = hub("127.0.0.1:0", &data);
    line(&mut first).await;
    first.kill().await.unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "db") {
            std::fs::write(path, [0x55; 8192]).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    let (status, said) = ended(hub("127.0.0.1:0", &data)).await;
    assert_eq!((status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("is damaged"), "{said}");
    let left = std::fs::read(directory.path().join("messages.db")).unwrap();
    assert_eq!(left, [0x55; 8192]);
}

#[tokio::test]
async fn a_busy_port_is_one_line_and_exit_code_1() {
    let (directory, busy) = (directory(), free_port().await);
    let address = busy.local_addr().unwrap();
    let (status, said) = ended(hub(&address.to_string(), &directory.path().to_string_lossy())).await;
    assert_eq!((status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with(&format!("hub: port {} is in use; ", address.port())), "{said}");
}
