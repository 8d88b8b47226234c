//! What outlives the process.

use mainstay_registry::Config;
use serde_json::json;
use tempfile::TempDir;

use crate::agent::Agent;

#[tokio::test]
async fn services_checks_and_indices_are_those_of_before() {
    let dir = TempDir::new().unwrap();
    let config = Config { data: Some(dir.path().to_owned()), ..Config::default() };
    let agent = Agent::start(config.clone()).await;
    agent.register(r#"{"Name":"web","ID":"a","Check":{"TTL":"1m","Notes":"n"}}"#).await;
    agent.put("/v1/agent/check/warn/service:a?note=so-so", "").await;
    agent.register(r#"{"Name":"db"}"#).await;
    agent.put("/v1/agent/service/deregister/db", "").await;
    agent.put("/v1/agent/service/maintenance/a?enable=1&reason=r", "").await;
    let mut before = Vec::new();
    let paths = ["/v1/health/service/web", "/v1/health/service/db", "/v1/catalog/services", "/v1/agent/checks"];
    for path in paths {
        let answer = agent.ask("GET", path, "").await;
        before.push((answer.header("x-consul-index").map(str::to_owned), answer.body));
    }
    agent.stop().await;
    let agent = Agent::start(config).await;
    for (path, before) in paths.iter().zip(before) {
        let answer = agent.ask("GET", path, "").await;
        assert_eq!((answer.header("x-consul-index").map(str::to_owned), answer.body), before, "{path}");
    }
    agent.put("/v1/agent/check/pass/service:a", "").await;
    assert_eq!(agent.get("/v1/health/checks/web").await[0]["Status"], json!("passing"));
    agent.stop().await;
}
