//! The program: what it prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
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
        let output = ended(&["--listen", listen, "--dns", "off"]).await;
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

/// A registry with a directory, and where it is reached.
async fn started(data: &Path) -> (Child, String) {
    started_with(data, &[]).await
}

async fn started_with(data: &Path, args: &[&str]) -> (Child, String) {
    let mut child = Command::new(PROGRAM)
        .args(["--listen", "127.0.0.1:0", "--dns", "off", "--data"])
        .arg(data)
        .args(args)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).await.unwrap();
    let address = line.trim_end().strip_prefix("registry on ").expect("it says where it is").to_owned();
    assert!(address.contains("://127.0.0.1:") && !address.ends_with(":0"), "{line}");
    (child, address)
}

/// What a command prints, and how it ends.
async fn said(args: &[&str], registry: &str) -> (Option<i32>, String) {
    let output = ended(&[args, &["--registry", registry]].concat()).await;
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text)
}

async fn register(registry: &str, id: &str, port: u16) {
    let url = format!("{registry}/v1/services/ratings/instances/{id}");
    let body = format!(r#"{{"address":"127.0.0.1:{port}"}}"#);
    let status = Command::new("curl").args(["-sf", "-X", "PUT", &url, "-d", &body]).stdout(Stdio::null()).status();
    assert!(status.await.unwrap().success());
}

#[tokio::test]
async fn it_says_where_it_is_and_ends_well_when_terminated() {
    let data = TempDir::new().unwrap();
    for signal in ["TERM", "INT"] {
        let (mut child, _) = started(data.path()).await;
        let id = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().await.unwrap().success());
        let status = timeout(Duration::from_secs(10), child.wait()).await.expect("it ends").unwrap();
        assert!(status.success(), "{signal}: {status}");
    }
}

#[tokio::test]
async fn commands_say_who_is_there_before_and_after_it_was_killed() {
    let data = TempDir::new().unwrap();
    let (mut child, registry) = started(data.path()).await;
    assert_eq!(said(&["list"], &registry).await, (Some(0), "no service has registered\n".to_owned()));
    register(&registry, "r1", 8001).await;
    register(&registry, "r2", 8002).await;
    let (code, drained) = said(&["drain", "ratings", "r2"], &registry).await;
    assert_eq!((code, drained.as_str()), (Some(0), "r2 drains, from revision 3 on; 0 who watch know\n"));
    child.kill().await.unwrap();
    let (code, lost) = said(&["list"], &registry).await;
    assert!(code == Some(3) && lost.starts_with("mainstay-registry: no registry at "), "{code:?} {lost}");

    let (_child, registry) = started(data.path()).await;
    let (_, services) = said(&["list"], &registry).await;
    let line = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(services.lines().nth(1).map(line), Some(line("ratings 1 0 0 1 0 3")), "{services}");
    let (_, instances) = said(&["list", "ratings"], &registry).await;
    for (number, presence) in [(1, "up"), (2, "draining")] {
        let row = instances.lines().nth(number).map(line).unwrap();
        let expected = [&number.to_string(), &format!("r{number}"), presence];
        assert!(row.iter().zip(expected).all(|(cell, expected)| cell == expected), "{instances}");
    }
    assert_eq!(said(&["release", "ratings"], &registry).await.0, Some(0));
    let (code, refused) = said(&["drain", "ratings", "r9"], &registry).await;
    assert_eq!((code, refused.as_str()), (Some(1), "mainstay-registry: r9 of ratings is not registered (404)\n"));
    let (code, undrained) = said(&["drain", "ratings", "r2", "--undo"], &registry).await;
    assert_eq!((code, undrained.as_str()), (Some(0), "r2 takes calls again, from revision 4 on\n"));
}

#[tokio::test]
async fn a_second_registry_on_one_directory_says_so() {
    let data = TempDir::new().unwrap();
    let (_child, _) = started(data.path()).await;
    let output =
        ended(&["--listen", "127.0.0.1:0", "--dns", "off", "--data", &data.path().display().to_string()]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with("registry.db is in use: is a registry running on it already?\n"), "{said}");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
}

#[tokio::test]
async fn over_tls_with_a_token_commands_are_answered_and_others_are_not() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(path("chain.pem"), certificate.pem()).unwrap();
    std::fs::write(path("key.pem"), key.serialize_pem()).unwrap();
    let tokens = path("tokens.json");
    let output = ended(&["token", "market", "--read", "", "--file", &tokens]).await;
    let token = String::from_utf8(output.stdout).unwrap();
    let (chain, key) = (path("chain.pem"), path("key.pem"));
    let args = ["--tokens", &tokens, "--tls-cert", &chain, "--tls-key", &key];
    let (_child, registry) = started_with(dir.path(), &args).await;
    assert!(registry.starts_with("https://"), "{registry}");
    let trusted = ["list", "--ca", &chain];
    let answer = said(&[&trusted[..], &["--token", token.trim()]].concat(), &registry).await;
    assert_eq!(answer, (Some(0), "no service has registered\n".to_owned()));
    for (args, code, why) in [
        (&trusted[..], 1, "you may not read all services; show a token"),
        (&["list"][..], 2, "needs --ca, the authority of its certificate"),
        (&["release", "ratings", "--ca", &chain, "--token", token.trim()][..], 1, "you may not register ratings (403)"),
    ] {
        let (ended, said) = said(args, &registry).await;
        assert!(ended == Some(code) && said.contains(why), "{ended:?} {said}");
    }
    let plain = registry.replace("https", "http");
    assert_eq!(said(&["list"], &plain).await.0, Some(3), "nobody speaks without TLS");
}

#[tokio::test]
async fn a_file_that_is_not_what_it_should_be_is_named_in_one_line() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("no.pem"), "nothing").unwrap();
    let (none, no) = (path("none"), path("no.pem"));
    for (args, why) in [
        (&["--tokens", &none][..], "none is no file of tokens: No such file"),
        (&["--tls-cert", &no, "--tls-key", &no][..], "no.pem has no certificate"),
    ] {
        let output =
            ended(&[&["--listen", "127.0.0.1:0", "--dns", "off", "--data", &path("data")], args].concat()).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(why), "{said}");
    }
    let output = ended(&["token", "x"]).await;
    assert_eq!(output.status.code(), Some(2));
}
