//! The demo's buttons: who may press them, and what they do to real processes.

use std::time::Duration;

use market_web::{Bench, Config, Lab, Ports};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::ports::free_ports;
use crate::site::Site;

/// How many ports a lab may take, its base port included.
const ROOM: u16 = 110;

/// All processes listen above the base port: ratings instances first, then bidders and the others.
fn lab(executable: &str, base_port: u16) -> Lab {
    let ports = Ports::above(base_port);
    Lab::new(Bench { executable: executable.into(), ports, data: std::env::temp_dir() })
}

/// A lab that could start nothing if it tried.
async fn guarded() -> Site {
    Site::with(Some(lab("/nonexistent", 40_000))).await
}

#[tokio::test]
async fn only_this_machines_people_and_programs_press_buttons() {
    let site = guarded().await;
    let port = site.address.port();
    let own = |name: &str| format!("{name}:{port}");
    let origin = |origin: &str| format!("origin: {origin}\r\n");
    for (host, headers, served) in [
        (own("127.0.0.1"), String::new(), true),
        (own("localhost"), String::new(), true),
        (own("[::1]"), String::new(), true),
        (own("127.0.0.1"), origin(&format!("http://127.0.0.1:{port}")), true),
        (own("127.0.0.1"), "sec-fetch-site: same-origin\r\n".to_owned(), true),
        (own("127.0.0.1"), "sec-fetch-site: none\r\n".to_owned(), true),
        (own("evil.example"), String::new(), false),
        ("127.0.0.1".to_owned(), String::new(), false),
        (String::new(), String::new(), false),
        (own("127.0.0.1"), origin("http://evil.example"), false),
        (own("127.0.0.1"), origin(&format!("http://localhost:{port}")), false),
        (own("127.0.0.1"), origin("null"), false),
        (own("127.0.0.1"), "sec-fetch-site: cross-site\r\n".to_owned(), false),
        (own("127.0.0.1"), "sec-fetch-site: same-site\r\n".to_owned(), false),
    ] {
        let answer = site.ask_as(&host, "POST", "/lab/ratings/7/kill", &headers, "").await;
        let expected = if served { 404 } else { 403 };
        assert_eq!(answer.status, expected, "{host} {headers}: {}", answer.text);
    }
}

/// Two of the kinds of instances, and what their rows are called.
const KINDS: [(&str, &str); 2] = [("ratings", "instances"), ("bidders", "bidders")];

#[tokio::test]
async fn buttons_pressed_wrongly_say_why() {
    let site = guarded().await;
    for (kind, rows) in KINDS {
        let nobody = format!(r#""{rows}":[]"#);
        for (method, target, status, holds) in [
            ("GET", "1/kill", 405, "allow: POST"),
            ("GET", "start", 405, "allow: POST"),
            ("POST", "1/kill", 404, "the lab has no instance 1"),
            ("POST", "x/pause", 404, "an instance is a number"),
            ("POST", "99999999999/pause", 404, "an instance is a number"),
            ("POST", "1/dance", 404, "there is nothing"),
            ("POST", "start?count=0", 400, "count is from 1 to 10"),
            ("POST", "start?count=11", 400, "count is from 1 to 10"),
            ("POST", "start?count=-1", 400, "invalid digit"),
            ("POST", "start?count=many", 400, "invalid digit"),
            ("POST", "start?number=21", 400, "number is from 1 to 20"),
            ("POST", "start?number=1&count=2", 400, "leave count out"),
            ("POST", "start?colour=red", 400, "colour"),
            ("POST", "start", 503, "the system refused"),
            ("POST", "kill-all", 200, &nobody),
        ] {
            let target = format!("/lab/{kind}/{target}");
            let answer = site.ask(method, &target, "", "").await;
            assert_eq!(answer.status, status, "{method} {target}: {}", answer.text);
            assert!(answer.text.contains(holds), "{method} {target} does not hold {holds}: {}", answer.text);
        }
    }
    for (target, status, holds) in [
        ("/lab/shop/kill-all", 404, "there is nothing"),
        ("/lab/auction/start?number=2", 400, "number is from 1 to 1"),
        ("/lab/bidders/1/kill?for=nobody", 400, "for is one of ratings, bidders"),
        ("/lab/registry/kill", 200, r#""instances":[]"#),
        ("/lab/bidders/start?manner=rude", 400, "manner is one of bids, slow, silent, fails and nonsense"),
        ("/lab/bidders/start?delay_ms=30001", 400, "delay_ms is from 0 to 30000"),
        ("/lab/bidders/start?delay_ms=soon", 400, "invalid digit"),
        ("/lab/backends/start?manner=silent", 400, "manner is for bidders"),
        ("/lab/ratings/start?delay_ms=1", 400, "delay_ms is for bidders and backends"),
    ] {
        let answer = site.ask("POST", target, "", "").await;
        assert_eq!(answer.status, status, "{target}: {}", answer.text);
        assert!(answer.text.contains(holds), "{target} does not hold {holds}: {}", answer.text);
    }
    for wrong in ["?for=//evil.example", "?for=ratings&for=bidders", "?colour=red"] {
        let answer = site.ask("POST", &format!("/lab/registry/kill{wrong}"), "", "").await;
        assert_eq!((answer.status, answer.text.contains("reason")), (400, true), "{wrong}: {}", answer.text);
    }
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let chosen = site.ask("POST", "/lab/bidders/start", form, "manner=rude").await;
    assert_eq!(chosen.status, 400, "the form's choice is read: {}", chosen.text);
}

#[tokio::test]
async fn a_form_comes_back_to_its_page() {
    let site = guarded().await;
    for (target, page) in [
        ("/lab/ratings/kill-all", "/?still"),
        ("/lab/bidders/kill-all", "/auction"),
        ("/lab/registry/kill", "/?still"),
        ("/lab/registry/kill?for=ratings", "/?still"),
        ("/lab/registry/kill?for=bidders", "/auction"),
    ] {
        let pressed = site.ask("POST", target, "accept: text/html\r\n", "").await;
        assert_eq!((pressed.status, pressed.header("location")), (303, page), "{target}");
    }
}

#[tokio::test]
async fn processes_are_started_paused_resumed_killed_and_ended() {
    let base_port = free_ports(ROOM);
    let (lab, registry_port) = (lab(env!("CARGO_BIN_EXE_demo"), base_port), Ports::above(base_port).registry_port);
    let registry = format!("http://127.0.0.1:{registry_port}").parse().unwrap();
    let site = Site::run(Config { registry: Some(registry), lab: Some(lab.clone()), ..Config::default() }).await;
    assert_eq!(press(&site, "/lab/registry/start").await.0, 200);

    for (kind, rows) in KINDS {
        let press = async |what: &str| press(&site, &format!("/lab/{kind}/{what}")).await;
        let (status, state) = press("start?count=2").await;
        let is = |state, number, what, word: &str| assert_eq!(of(state, rows, number, what), word, "{kind} {number}");
        assert_eq!(status, 200, "{state}");
        is(&state, 1, "process", "running");
        is(&state, 2, "breaker", "closed");

        let (_, state) = press("1/pause").await;
        is(&state, 1, "process", "paused");
        is(&state, 2, "process", "running");
        assert_eq!(press("1/pause").await.0, 200, "a button may be pressed twice");
        let (_, state) = press("1/resume").await;
        is(&state, 1, "process", "running");

        press("1/pause").await;
        let (_, state) = press("1/kill").await;
        is(&state, 1, "process", "killed");
        assert_eq!(press("1/resume").await.0, 409);
        let (status, state) = press("start?number=1").await;
        assert_eq!(status, 200, "{state}");
        is(&state, 1, "process", "running");
        assert_eq!(press("start?number=1").await.0, 409);
        press("2/pause").await;
    }

    lab.end().await;
    for port in [registry_port, base_port + 1, base_port + 2, base_port + 21, base_port + 22] {
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "somebody still listens on {port}");
    }
}

#[tokio::test]
async fn a_busy_port_is_passed_over_unless_it_was_asked_for() {
    let base_port = free_ports(ROOM);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", base_port + 1)).unwrap();
    let site = Site::with(Some(lab(env!("CARGO_BIN_EXE_demo"), base_port))).await;
    let (status, reason) = press(&site, "/lab/ratings/start?number=1").await;
    assert_eq!((status, reason["reason"].as_str().unwrap().contains("is busy")), (409, true), "{reason}");
    let (status, state) = press(&site, "/lab/ratings/start").await;
    let runs = |row: &serde_json::Value| (row["process"] == "running").then(|| row["number"].as_u64());
    let running: Vec<_> = state["instances"].as_array().unwrap().iter().filter_map(runs).flatten().collect();
    // Which of the next ports is free is not this test's to say.
    assert!(status == 200 && matches!(running[..], [(2..)]), "{running:?} run, said {status}: {state}");
}

#[tokio::test]
async fn a_process_that_ends_by_itself_is_shown_as_killed() {
    let site = Site::with(Some(lab("/bin/false", free_ports(ROOM)))).await;
    let _ = timeout(Duration::from_secs(10), site.ask("POST", "/lab/ratings/start", "", "")).await;
    let killed = async {
        while !site.ask("GET", "/api/state", "", "").await.text.contains(r#""process":"killed""#) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), killed).await.expect("it is not shown as killed");
}

async fn press(site: &Site, target: &str) -> (u16, serde_json::Value) {
    let answer = site.ask("POST", target, "", "").await;
    let body = answer.text.split("\r\n\r\n").nth(1).unwrap();
    (answer.status, serde_json::from_str(body).unwrap())
}

fn of<'a>(state: &'a serde_json::Value, rows: &str, number: u32, what: &str) -> &'a str {
    let rows = state[rows].as_array().unwrap();
    rows.iter().find(|row| row["number"] == number).and_then(|row| row[what].as_str()).unwrap_or("nothing")
}
