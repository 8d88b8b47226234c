//! The demo's buttons: who may press them, and what they do to real processes.

use std::time::Duration;

use market_web::{Bench, Config, Lab};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::site::{Site, free_port};

/// Ratings instances listen above the base port, bidders above that.
fn lab(executable: &str, registry_port: u16, base_port: u16) -> Lab {
    Lab::new(Bench {
        executable: executable.into(),
        registry_port,
        ratings_base_port: base_port,
        auction_port: base_port + 20,
        bidders_base_port: base_port + 20,
    })
}

/// A lab that could start nothing if it tried.
async fn guarded() -> Site {
    Site::with(Some(lab("/nonexistent", free_port(), 40_000))).await
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

#[tokio::test]
async fn buttons_pressed_wrongly_say_why() {
    let site = guarded().await;
    for (method, target, status, holds) in [
        ("GET", "/lab/ratings/1/kill", 405, "allow: POST"),
        ("GET", "/lab/ratings/start", 405, "allow: POST"),
        ("POST", "/lab/ratings/1/kill", 404, "the lab has no instance 1"),
        ("POST", "/lab/ratings/x/pause", 404, "an instance is a number"),
        ("POST", "/lab/ratings/99999999999/pause", 404, "an instance is a number"),
        ("POST", "/lab/ratings/1/dance", 404, "there is nothing"),
        ("POST", "/lab/ratings/start?count=0", 400, "count is from 1 to 10"),
        ("POST", "/lab/ratings/start?count=11", 400, "count is from 1 to 10"),
        ("POST", "/lab/ratings/start?count=-1", 400, "count"),
        ("POST", "/lab/ratings/start?count=many", 400, "count"),
        ("POST", "/lab/ratings/start?number=21", 400, "number is from 1 to 20"),
        ("POST", "/lab/ratings/start?number=1&count=2", 400, "leave count out"),
        ("POST", "/lab/ratings/start?colour=red", 400, "colour"),
        ("POST", "/lab/ratings/start", 503, "the system refused"),
        ("POST", "/lab/ratings/kill-all", 200, r#""instances":[]"#),
        ("POST", "/lab/registry/kill", 200, r#""instances":[]"#),
    ] {
        let answer = site.ask(method, target, "", "").await;
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.text);
        assert!(answer.text.contains(holds), "{method} {target} does not hold {holds}: {}", answer.text);
    }
    let pressed = site.ask("POST", "/lab/ratings/kill-all", "accept: text/html\r\n", "").await;
    assert_eq!((pressed.status, pressed.header("location")), (303, "/?still"), "a form comes back to the page");
}

#[tokio::test]
async fn processes_are_started_paused_resumed_killed_and_ended() {
    let (registry_port, base_port) = (free_port(), free_port().min(65_000) - 1);
    let lab = lab(env!("CARGO_BIN_EXE_demo"), registry_port, base_port);
    let registry = format!("http://127.0.0.1:{registry_port}").parse().unwrap();
    let site = Site::run(Config { registry: Some(registry), lab: Some(lab.clone()), ..Config::default() }).await;

    assert_eq!(press(&site, "/lab/registry/start").await.0, 200);
    let (status, state) = press(&site, "/lab/ratings/start?count=2").await;
    assert_eq!((status, of(&state, 1, "process"), of(&state, 2, "breaker")), (200, "running", "closed"), "{state}");

    let (_, state) = press(&site, "/lab/ratings/1/pause").await;
    assert_eq!((of(&state, 1, "process"), of(&state, 2, "process")), ("paused", "running"));
    assert_eq!(press(&site, "/lab/ratings/1/pause").await.0, 200, "a button may be pressed twice");
    let (_, state) = press(&site, "/lab/ratings/1/resume").await;
    assert_eq!(of(&state, 1, "process"), "running");

    press(&site, "/lab/ratings/1/pause").await;
    let (_, state) = press(&site, "/lab/ratings/1/kill").await;
    assert_eq!(of(&state, 1, "process"), "killed", "a paused one can be killed");
    assert_eq!(press(&site, "/lab/ratings/1/resume").await.0, 409);
    let (status, state) = press(&site, "/lab/ratings/start?number=1").await;
    assert_eq!((status, of(&state, 1, "process")), (200, "running"), "{state}");
    assert_eq!(press(&site, "/lab/ratings/start?number=1").await.0, 409);

    press(&site, "/lab/ratings/2/pause").await;
    lab.end().await;
    for port in [registry_port, base_port + 1, base_port + 2] {
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "somebody still listens on {port}");
    }
}

#[tokio::test]
async fn a_busy_port_starts_nothing() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let site = Site::with(Some(lab(env!("CARGO_BIN_EXE_demo"), free_port(), port - 1))).await;
    let (status, reason) = press(&site, "/lab/ratings/start").await;
    assert_eq!((status, reason["reason"].as_str().unwrap().contains("is busy")), (409, true), "{reason}");
}

#[tokio::test]
async fn a_process_that_ends_by_itself_is_shown_as_killed() {
    let site = Site::with(Some(lab("/bin/false", free_port(), free_port().min(65_000)))).await;
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

fn of<'a>(state: &'a serde_json::Value, number: u32, what: &str) -> &'a str {
    let rows = state["instances"].as_array().unwrap();
    rows.iter().find(|row| row["number"] == number).and_then(|row| row[what].as_str()).unwrap_or("nothing")
}
