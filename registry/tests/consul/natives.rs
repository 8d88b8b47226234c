//! Those who register otherwise, and those who look otherwise, see the same.

use mainstay_registry::{Config, Limits};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::{Instant, timeout};

use crate::agent::{Agent, SOON};

#[tokio::test]
async fn a_service_of_consul_s_clients_is_an_instance_as_all_others() {
    let agent = Agent::start(Config::default()).await;
    let mut watch = BufReader::new(agent.send("GET", "/v1/services/web/watch", "").await).lines();
    agent.register(r#"{"Name":"web","ID":"a","Port":80,"Tags":["x"],"Check":{"TTL":"1m"}}"#).await;
    let listed = agent.get("/v1/services/web").await["instances"][0].clone();
    assert_eq!(
        (&listed["address"], &listed["tags"], &listed["presence"]),
        (&json!("http://127.0.0.1:80"), &json!(["x"]), &json!("draining"))
    );
    agent.put("/v1/agent/check/pass/service:a", "").await;
    assert_eq!(agent.get("/v1/services/web").await["instances"][0]["presence"], "up");
    agent.put("/v1/agent/service/deregister/a", "").await;
    let mut told = Vec::new();
    while told.len() < 3 {
        let line = timeout(SOON, watch.next_line()).await.expect("a line soon").unwrap().expect("it goes on");
        if line.starts_with(r#"{"type":"changed""#) || line.starts_with(r#"{"type":"gone""#) {
            told.push(line);
        }
    }
    assert!(told[0].contains("draining") && told[1].contains(r#""up""#) && told[2].contains("left"), "{told:?}");
    agent.stop().await;
}

#[tokio::test]
async fn two_instances_of_one_id_are_told_apart() {
    let agent = Agent::start(Config::default()).await;
    for service in ["api", "web"] {
        let path = format!("/v1/services/{service}/instances/a");
        assert_eq!(agent.ask("PUT", &path, r#"{"address":"127.0.0.1:1"}"#).await.status, 200);
    }
    let services = agent.get("/v1/agent/services").await;
    assert_eq!((&services["a"]["Service"], &services["web/a"]["Service"]), (&json!("api"), &json!("web")));
    let checks = agent.get("/v1/agent/checks").await;
    assert_eq!(checks["service:web/a"]["ServiceName"], "web");
    for (method, path) in [("GET", "/v1/agent/service/a"), ("PUT", "/v1/agent/service/deregister/a")] {
        let answer = agent.ask(method, path, "").await;
        assert_eq!((answer.status, answer.body.contains("a is one of api and one of web")), (409, true), "{answer:?}");
    }
    assert_eq!(agent.get("/v1/agent/service/web%2Fa").await["Service"], "web");
    agent.put("/v1/agent/service/deregister/web/a", "").await;
    assert_eq!(agent.get("/v1/agent/service/a").await["Service"], "api");
    agent.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_place() {
    let limits = Limits { watchers: 1, ..Limits::default() };
    let agent = Agent::start(Config { limits, ..Config::default() }).await;
    let waiting = agent.send("GET", "/v1/health/service/web?index=1&wait=10m", "").await;
    let short = "/v1/health/service/web?index=1&wait=1ms";
    let begun = Instant::now();
    while agent.ask("GET", short, "").await.status != 503 {
        assert!(begun.elapsed() < SOON, "nobody waits");
    }
    drop(waiting);
    while agent.ask("GET", short, "").await.status != 200 {
        assert!(begun.elapsed() < 2 * SOON, "the place is not freed");
    }
    agent.stop().await;
}
