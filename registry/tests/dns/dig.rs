//! `dig`, which knows what an answer has to be.

use std::net::SocketAddr;
use std::time::Duration;

use mainstay_registry::dns::Config;
use tokio::process::Command;
use tokio::time::timeout;

use crate::server::{Known, Running};

/// Longer than it takes to ask, on a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// Is there one? If not, that is said, or is a failure where it must be there.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
async fn is_there() -> bool {
    let there = Command::new("dig").arg("-v").output().await.is_ok_and(|output| output.status.success());
    if !there {
        let why = "there is no dig: install it (Debian: apt-get install bind9-dnsutils)";
        assert!(std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_none_or(|value| value != "1"), "{why}");
        eprintln!("skipped: {why}");
    }
    there
}

/// What it prints. Its own settings file stays out.
async fn dig(server: SocketAddr, args: &str) -> String {
    let mut command = Command::new("dig");
    command.args(["-r", "@127.0.0.1", "-p", &server.port().to_string(), "+norec", "+tries=2", "+time=5"]);
    let output = command.args(args.split(' ')).kill_on_drop(true).output();
    let output = timeout(LONG, output).await.expect("it ends").expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{args}: {said}");
    // It warns where an answer is not quite one.
    assert!(!said.contains("WARNING") && !said.contains("Warning"), "{args}: {said}");
    said
}

fn lines(said: &str) -> Vec<&str> {
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn it_finds_instances_by_every_name() {
    if !is_there().await {
        return;
    }
    let server =
        Running::start(Known::default().and("three", 3).and("many", 300).and("none", 0), Config::default()).await;
    let targets = [
        "1 1 8001 8001.7f010001.addr.dc1.consul.",
        "1 1 8002 8002.7f010002.addr.dc1.consul.",
        "1 1 8003 8003.7f010003.addr.dc1.consul.",
    ];
    for args in
        ["+short three.service.consul SRV", "+short +tcp _three._tcp.consul SRV", "+short THREE.service.dc1.Consul SRV"]
    {
        assert_eq!(lines(&dig(server.address, args).await), targets, "{args}");
    }
    let said = dig(server.address, "three.service.consul SRV").await;
    for text in [
        "status: NOERROR",
        "flags: qr aa;",
        "ANSWER: 3",
        "ADDITIONAL: 4",
        "0\tIN\tSRV",
        "8003.7f010003.addr.dc1.consul. 0",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert_eq!(dig(server.address, "+short tenth.three.service.consul").await, "127.1.0.1\n");
    assert_eq!(lines(&dig(server.address, "+short three.service.consul ANY").await).len(), 3);
    assert_eq!(dig(server.address, "+short 7f010203.addr.consul A").await, "127.1.2.3\n");
    assert_eq!(dig(server.address, "+short consul NS").await, "ns.consul.\n");
    server.stop().await;
}

#[tokio::test]
async fn it_is_told_what_there_is_not() {
    if !is_there().await {
        return;
    }
    let server = Running::start(Known::default().and("three", 3).and("none", 0), Config::default()).await;
    for (args, status, section) in [
        ("other.service.consul A", "status: NXDOMAIN", "ns.consul. hostmaster.consul."),
        ("three.service.dc2.consul A", "status: NXDOMAIN", "ns.consul. hostmaster.consul."),
        ("none.service.consul A", "status: NOERROR", "ns.consul. hostmaster.consul."),
        ("three.service.consul AAAA", "status: NOERROR", "ns.consul. hostmaster.consul."),
        ("three.service.consul TXT", "status: NOERROR", "ns.consul. hostmaster.consul."),
        ("example. A", "status: REFUSED", "ANSWER: 0, AUTHORITY: 0"),
        ("three.service.consul CH A", "status: REFUSED", "ANSWER: 0, AUTHORITY: 0"),
        ("+noednsneg +edns=1 three.service.consul A", "status: BADVERS", "EDNS: version: 0"),
        ("+header-only +noedns consul A", "status: FORMERR", "ANSWER: 0, AUTHORITY: 0"),
        ("+noedns +opcode=status three.service.consul A", "status: NOTIMP", "ANSWER: 0, AUTHORITY: 0"),
    ] {
        let said = dig(server.address, args).await;
        assert!(said.contains(status) && said.contains(section) && said.contains("ANSWER: 0"), "{args}: {said}");
    }
    server.stop().await;
}

#[tokio::test]
async fn it_says_how_much_it_takes_and_comes_back_for_the_rest() {
    if !is_there().await {
        return;
    }
    let server = Running::start(Known::default().and("many", 300), Config::default()).await;
    for (args, most) in [("+noedns", 512), ("+bufsize=512", 512), ("+bufsize=1232", 1_232), ("+bufsize=4096", 4_096)] {
        let said = dig(server.address, &format!("+ignore {args} many.service.consul SRV")).await;
        let size = said.rsplit_once("MSG SIZE  rcvd: ").and_then(|(_, size)| size.trim().parse::<u32>().ok()).unwrap();
        assert!(said.contains("flags: qr aa tc;") && (most - 50..=most).contains(&size), "{args}: {said}");
        assert_eq!(said.contains("OPT PSEUDOSECTION"), args != "+noedns");
    }
    // It tries TCP by itself.
    let said = dig(server.address, "many.service.consul SRV").await;
    assert!(said.contains("flags: qr aa;") && said.contains("ANSWER: 300"), "{said}");
    server.stop().await;
}
