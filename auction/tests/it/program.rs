//! The programs: what they print, how they end.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use auction::bidder::Bidder;
use mainstay::Address;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::http::{ask, get, post};
use crate::support::{House, behaves, free_port};

pub(crate) const AUCTION: &str = env!("CARGO_BIN_EXE_auction");
pub(crate) const BIDDERS: &str = env!("CARGO_BIN_EXE_bidders");

pub(crate) fn program(path: &str, registry: impl std::fmt::Display, args: &[&str]) -> Child {
    logging(path, registry, args, "off")
}

fn logging(path: &str, registry: impl std::fmt::Display, args: &[&str], log: &str) -> Child {
    Command::new(path)
        .args(args)
        .env("MAINSTAY_REGISTRY", registry.to_string())
        .env("RUST_LOG", log)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Runs `auction` with these arguments to its end: its exit code, and what it said on either output.
async fn auction(registry: impl std::fmt::Display, args: &str) -> (Option<i32>, String, String) {
    let args: Vec<_> = args.split_whitespace().collect();
    let output = program(AUCTION, registry, &args).wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub(crate) async fn lines(program: &mut Child, count: usize) -> Vec<String> {
    let mut reader = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut lines = Vec::new();
    while lines.len() < count {
        lines.push(reader.next_line().await.unwrap().expect("another line"));
    }
    lines
}

async fn ended(mut program: Child, signal: rustix::process::Signal) -> ExitStatus {
    send(&program, signal);
    program.wait().await.unwrap()
}

pub(crate) fn send(program: &Child, signal: rustix::process::Signal) {
    let id = i32::try_from(program.id().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn ask_tells_each_bid_and_then_who_won_and_why_the_others_did_not() {
    let (house, _bidders) = House::usual().await;
    let _more = house.bidders([behaves(10, r#"says={"Bid":"1"}"#)]).await;
    let (code, out, err) = auction(house.registry, "ask car good").await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let parts: Vec<_> = out.split("\n\n").collect();
    let [legs, result, summary] = parts[..] else { panic!("three parts: {out}") };
    let mut legs: Vec<_> = legs.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    legs.sort();
    for leg in &mut legs {
        assert!(leg.remove(2).parse::<u64>().is_ok() && leg.remove(2) == "ms", "{out}");
    }
    let legs: Vec<_> = legs.iter().map(|words| words.join(" ")).collect();
    assert_eq!(
        legs,
        [
            "Bidder 1 350000",
            "Bidder 10 rejected: the bid is a text, not a number",
            "Bidder 2 470000",
            "Bidder 3 440000"
        ]
    );
    assert_eq!(
        result,
        "Bidder 2 wins with 470000\n  \
           Bidder 3       440000  Bidder 2 bid 470000\n  \
           Bidder 1       350000  Bidder 2 bid 470000\n  \
           Bidder 10           -  rejected: the bid is a text, not a number"
    );
    assert!(summary.starts_with("3 of 4 within 1000 ms, took "), "{out}");
    house.close().await;
}

#[tokio::test]
async fn the_exit_code_says_how_it_ended() {
    let (house, _bidders) = House::usual().await;
    let empty = House::open().await;
    let dead = House::open().await;
    dead.register(1, free_port().await.local_addr().unwrap()).await;
    let nowhere = "127.0.0.1:1".parse().unwrap();
    for (registry, args, code, said) in [
        (house.registry, "ask car good", 0, ""),
        (house.registry, "ask car good --first 1", 0, ""),
        (house.registry, "ask car good --quorum majority --deadline 900ms", 0, ""),
        (house.registry, "ask car medium", 1, "auction: nobody bids: 3 declined\n"),
        (house.registry, "ask car", 2, "<CONDITION>"),
        (house.registry, "ask car good --quorum most", 2, "neither majority nor a number"),
        (house.registry, "ask car good --quorum 4", 3, "auction: no quorum: "),
        (empty.registry, "ask car good", 3, "auction: no bidder is registered; start some: "),
        (dead.registry, "ask car good", 3, "auction: no bidder can be reached: 1 refused; start some: "),
        (nowhere, "ask car good", 3, "the registry at http://127.0.0.1:1 cannot be reached; start it: "),
    ] {
        let (exit, out, err) = auction(registry, args).await;
        assert_eq!(exit, Some(code), "{args}: {out}{err}");
        assert!(err.contains(said) && err.is_empty() == said.is_empty(), "{args}: {err:?} does not say {said:?}");
        assert!(code == 2 || err.lines().count() <= 1, "{args}: {err}");
    }
    house.close().await;
    empty.close().await;
    dead.close().await;
}

#[tokio::test]
async fn ask_can_answer_in_json() {
    let (house, _bidders) = House::usual().await;
    let empty = House::open().await;
    for (registry, args, code, key, expected) in [
        (house.registry, "ask car good --json", 0, "Bid", json!(470_000)),
        (house.registry, "ask car medium --json", 1, "Message", json!("nobody bids: 3 declined")),
        (empty.registry, "ask car good --json", 3, "Message", json!("no bidder is registered")),
    ] {
        let (exit, out, _) = auction(registry, args).await;
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &report[key], out.lines().count()), (Some(code), &expected, 1), "{args}: {out}");
        assert!(report["Legs"].is_array() && report["Summary"].is_string(), "{args}: {out}");
    }
    house.close().await;
    empty.close().await;
}

#[tokio::test]
async fn nobody_need_read_to_the_end() {
    let (house, _bidders) = House::usual().await;
    for args in [&["ask", "car", "good"][..], &["ask", "car", "good", "--json"]] {
        let mut program = program(AUCTION, house.registry, args);
        drop(program.stdout.take());
        let output = program.wait_with_output().await.unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    }
    house.close().await;
}

#[tokio::test]
async fn nobody_need_read_the_log() {
    let (house, _bidders) = House::usual().await;
    for closed in [true, false] {
        let mut program = logging(AUCTION, house.registry, &["--listen", "127.0.0.1:0"], "trace");
        if closed {
            drop(program.stderr.take());
        }
        let line = lines(&mut program, 1).await.remove(0);
        let address: Address = line.strip_prefix("auction on ").unwrap().parse().unwrap();
        let address = address.authority().parse().unwrap();
        // A pipe holds 64 KiB, and an auction says some 400 bytes.
        for _ in 0..300 {
            let body = r#"{"Item":"car","Condition":"good"}"#;
            let answer = ask(address, post("/auction/setAuction", "application/json", body)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let ended = timeout(Duration::from_secs(10), ended(program, rustix::process::Signal::TERM));
        assert!(ended.await.expect("it ends").success());
    }
    house.close().await;
}

#[tokio::test]
async fn both_programs_serve_until_they_are_told_to_stop() {
    use rustix::process::Signal;

    let house = House::open().await;
    for signal in [Signal::TERM, Signal::INT] {
        for (path, args, name) in [
            (AUCTION, &["--listen", "127.0.0.1:0"][..], "auction on "),
            (AUCTION, &["serve", "--listen", "127.0.0.1:0"], "auction on "),
            (BIDDERS, &["--count", "1", "--port", "0"], "Bidder 1 on "),
        ] {
            let mut program = program(path, house.registry, args);
            let line = lines(&mut program, 1).await.remove(0);
            let base: Address = line.strip_prefix(name).unwrap().parse().unwrap();
            let health = get(&format!("{}/health", base.path()));
            assert_eq!(ask(base.authority().parse().unwrap(), health).await.status, 200, "{line}");
            assert!(ended(program, signal).await.success(), "{line}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_busy_port_is_one_line_and_exit_code_1() {
    let busy = free_port().await;
    let address = busy.local_addr().unwrap();
    let port = address.port().to_string();
    for (path, args, name, hint) in [
        (
            AUCTION,
            vec!["--listen".to_owned(), address.to_string()],
            "auction",
            "another one may listen elsewhere: --listen",
        ),
        (BIDDERS, vec!["--port".to_owned(), port.clone()], "bidders", "start one more with --number"),
    ] {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let output = program(path, "127.0.0.1:1", &args).wait_with_output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.starts_with(&format!("{name}: port {port} is in use; ")) && said.contains(hint), "{said}");
    }
}

#[tokio::test]
async fn a_process_may_hold_one_bidder_or_several() {
    let house = House::open().await;
    let mut three = program(BIDDERS, house.registry, &["--port", "0"]);
    let mut fourth = program(BIDDERS, house.registry, &["--number", "4", "--port", "0", "--bids", "good=5"]);
    let names = lines(&mut three, 3).await;
    for (number, line) in (1..).zip(&names) {
        assert!(line.starts_with(&format!("Bidder {number} on http://127.0.0.1:")), "{line}");
        assert!(line.ends_with(&Bidder::new(number).path()), "{line}");
    }
    assert!(lines(&mut fourth, 1).await[0].ends_with("/bidders/bidder4"));
    house.until("all four are there", |known| known == [1, 2, 3, 4]).await;
    let answer = house.auction("good", "?detail=true").await;
    assert_eq!((&answer.body["Bidder Name"], &answer.body["Legs"][3]["Bid"]), (&json!("Bidder 2"), &json!(5)));
    house.close().await;
}
