//! The program: what it prints, and how it ends.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mainstay-registry");

async fn ended(args: &[&str]) -> Output {
    let output = Command::new(PROGRAM).args(args).kill_on_drop(true).output();
    timeout(Duration::from_secs(10), output).await.expect("it ends").expect("it starts")
}

#[tokio::test]
async fn what_cannot_be_listened_on_is_said_in_one_line_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let busy = taken.local_addr().unwrap().to_string();
    for (listen, hint) in [(busy.as_str(), "choose another with --listen 127.0.0.1:PORT"), ("0.0.0.0:0", "--insecure")]
    {
        let output = ended(&["--listen", listen]).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.starts_with("mainstay-registry: ") && said.contains(hint), "{said}");
    }
}

#[tokio::test]
async fn help_shows_how_to_try_it() {
    let output = ended(&["--help"]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("curl -N localhost:8500/v1/services/ratings/watch"), "{said}");
}

#[tokio::test]
async fn it_says_where_it_is_and_ends_well_when_terminated() {
    for signal in ["TERM", "INT"] {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).await.unwrap();
        assert!(line.starts_with("registry on http://127.0.0.1:") && !line.ends_with(":0\n"), "{line}");
        let id = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().await.unwrap().success());
        let status = timeout(Duration::from_secs(10), child.wait()).await.expect("it ends").unwrap();
        assert!(status.success(), "{signal}: {status}");
    }
}
