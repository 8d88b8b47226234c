//! What answers look like.

use mainstay_registry::Config;
use serde_json::{Value, json};

use crate::agent::Agent;

const WEB: &str = r#"{"name":"web","ID":"web-1","TAGS":["v1","Primary"],"meta":{"k":"v"},"address":"10.0.0.9","port":80,
    "Weights":{"Passing":7,"Warning":2},"EnableTagOverride":false,"Proxy":null,
    "check":{"CheckID":"alive","name":"is it there","notes":"n","ttl":"1m30s","status":"passing"},
    "checks":[{"TTL":"500ms","Status":"warning"}]}"#;

async fn agent() -> Agent {
    let agent = Agent::start(Config::default()).await;
    agent.register(WEB).await;
    agent
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn fields<const N: usize>(value: &Value, names: [&str; N]) -> Value {
    names.map(|name| value[name].clone()).into_iter().collect()
}

#[tokio::test]
async fn what_is_registered_is_on_every_list() {
    let agent = agent().await;
    let service = agent.get("/v1/agent/services").await;
    assert_eq!(keys(&service), ["web-1"]);
    let expected = json!({
        "ID": "web-1", "Service": "web", "Tags": ["v1", "Primary"], "Meta": { "k": "v" }, "Address": "10.0.0.9",
        "Port": 80, "Weights": { "Passing": 7, "Warning": 2 }, "EnableTagOverride": false, "Datacenter": "dc1",
        "CreateIndex": 2, "ModifyIndex": 2,
    });
    assert_eq!(service["web-1"], expected);
    assert_eq!(agent.get("/v1/agent/service/web-1").await, expected);
    assert_eq!(agent.get("/v1/catalog/services").await, json!({ "web": ["Primary", "v1"] }));
    let found = agent.get("/v1/catalog/service/web?tag=V1&tag=primary&dc=dc1").await;
    let names = ["Node", "Address", "ServiceID", "ServiceName", "ServiceAddress", "ServicePort", "ServiceTags"];
    let expected = json!(["mainstay", "127.0.0.1", "web-1", "web", "10.0.0.9", 80, ["v1", "Primary"]]);
    assert_eq!(fields(&found[0], names), expected);
    assert_eq!(agent.get("/v1/catalog/service/web?tag=v1&tag=v2").await, json!([]));
    let node = agent.get("/v1/catalog/node/mainstay").await;
    assert_eq!((&node["Node"]["Node"], keys(&node["Services"])), (&json!("mainstay"), vec!["web-1"]));
    assert_eq!(agent.get("/v1/catalog/node/other").await, Value::Null);
    assert_eq!(agent.get("/v1/catalog/nodes").await[0]["TaggedAddresses"]["lan"], "127.0.0.1");
    agent.stop().await;
}

#[tokio::test]
async fn checks_are_on_every_list_of_checks() {
    let agent = agent().await;
    let expected = json!({
        "Node": "mainstay", "CheckID": "alive", "Name": "is it there", "Status": "passing", "Notes": "n", "Output": "",
        "ServiceID": "web-1", "ServiceName": "web", "ServiceTags": ["v1", "Primary"], "Type": "ttl", "Definition": {},
        "CreateIndex": 2, "ModifyIndex": 2,
    });
    let checks = agent.get("/v1/agent/checks").await;
    assert_eq!((keys(&checks), &checks["alive"]), (vec!["alive", "service:web-1:2"], &expected));
    assert_eq!(checks["service:web-1:2"]["Name"], "Service 'web' check");
    assert_eq!(agent.get("/v1/health/checks/web").await[0], expected);
    let names = |checks: &Value| -> Vec<String> {
        checks.as_array().unwrap().iter().map(|check| check["CheckID"].as_str().unwrap().to_owned()).collect()
    };
    for (state, expected) in [
        ("any", vec!["serfHealth", "alive", "service:web-1:2"]),
        ("passing", vec!["serfHealth", "alive"]),
        ("warning", vec!["service:web-1:2"]),
        ("critical", vec![]),
    ] {
        assert_eq!(names(&agent.get(&format!("/v1/health/state/{state}")).await), expected, "{state}");
    }
    assert_eq!(names(&agent.get("/v1/health/node/mainstay").await).len(), 3);
    let entry = agent.get("/v1/health/service/web").await;
    assert_eq!(keys(&entry[0]), ["Checks", "Node", "Service"]);
    assert_eq!(names(&entry[0]["Checks"]), ["serfHealth", "alive", "service:web-1:2"]);
    assert_eq!(agent.get("/v1/health/service/web?passing=true").await, json!([]), "one warns");
    agent.put("/v1/agent/check/pass/service:web-1:2?note=well", "").await;
    assert_eq!(agent.get("/v1/health/service/web?passing").await[0]["Checks"][2]["Output"], "well");
    agent.put("/v1/agent/check/deregister/alive", "").await;
    agent.put("/v1/agent/check/register", r#"{"Name":"late","ServiceID":"web-1","TTL":"10s"}"#).await;
    assert_eq!(names(&agent.get("/v1/health/checks/web").await), ["service:web-1:2", "late"]);
    agent.stop().await;
}

#[tokio::test]
async fn the_health_of_a_service_is_a_status() {
    let agent = agent().await;
    for (said, status) in [("pass", 200), ("warn", 429), ("fail", 503)] {
        for check in ["alive", "service:web-1:2"] {
            agent.put(&format!("/v1/agent/check/{said}/{check}"), "").await;
        }
        for path in ["id/web-1", "name/web"] {
            let path = format!("/v1/agent/health/service/{path}");
            assert_eq!(agent.ask("GET", &path, "").await.status, status, "{path}");
            let text = agent.ask("GET", &format!("{path}?format=text"), "").await;
            assert_eq!((text.status, text.body.len() > 6), (status, true), "{text:?}");
        }
    }
    let by_id = agent.ask("GET", "/v1/agent/health/service/id/web-1", "").await.json();
    assert_eq!((&by_id["AggregatedStatus"], &by_id["Service"]["ID"]), (&json!("critical"), &json!("web-1")));
    agent.stop().await;
}

#[tokio::test]
async fn maintenance_is_a_check_that_is_critical() {
    let agent = agent().await;
    agent.put("/v1/agent/service/maintenance/web-1?enable=true&reason=new+disk", "").await;
    let checks = agent.get("/v1/agent/checks").await;
    let found = fields(&checks["_service_maintenance:web-1"], ["Name", "Status", "Notes", "Type"]);
    assert_eq!(found, json!(["Service Maintenance Mode", "critical", "new disk", "maintenance"]));
    agent.register(WEB).await;
    assert_eq!(keys(&agent.get("/v1/agent/checks").await).len(), 3, "to register again does not end it");
    agent.put("/v1/agent/service/maintenance/web-1?enable=false", "").await;
    assert_eq!(keys(&agent.get("/v1/agent/checks").await).len(), 2);
    agent.stop().await;
}

#[tokio::test]
async fn who_says_little_has_defaults() {
    let agent = Agent::start(Config::default()).await;
    agent.register(r#"{"Name":"db","Check":null,"Checks":[],"Tags":null,"Meta":{}}"#).await;
    agent.register(r#"{"Name":"db","ID":"db-2","Address":"::1","Port":0}"#).await;
    let found = agent.get("/v1/health/service/db?passing").await;
    let names = ["ID", "Tags", "Address", "Port", "Weights"];
    let weights = json!({ "Passing": 1, "Warning": 1 });
    assert_eq!(fields(&found[0]["Service"], names), json!(["db", [], "127.0.0.1", 0, weights]));
    assert_eq!(fields(&found[1]["Service"], names), json!(["db-2", [], "::1", 0, weights]));
    agent.register(r#"{"Name":"moved","ID":"db-2"}"#).await;
    assert_eq!(agent.get("/v1/catalog/services").await, json!({ "db": [], "moved": [] }));
    agent.stop().await;
}

#[tokio::test]
async fn the_agent_says_where_it_is_and_answers_say_how_fresh_they_are() {
    let agent = agent().await;
    let found = agent.get("/v1/agent/self").await;
    assert_eq!(fields(&found["Config"], ["Datacenter", "NodeName"]), json!(["dc1", "mainstay"]));
    assert_eq!(agent.get("/v1/agent/members").await[0]["Name"], "mainstay");
    assert_eq!(agent.get("/v1/catalog/datacenters").await, json!(["dc1"]));
    assert_eq!(agent.get("/v1/status/leader").await, "127.0.0.1:8300");
    assert_eq!(agent.get("/v1/status/peers").await, json!(["127.0.0.1:8300"]));
    let answer = agent.ask("GET", "/v1/health/service/web?stale&pretty", "").await;
    assert!(answer.body.contains("\n    "), "{}", answer.body);
    for (name, value) in [
        ("x-consul-index", "2"),
        ("x-consul-knownleader", "true"),
        ("x-consul-lastcontact", "0"),
        ("x-consul-default-acl-policy", "allow"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    agent.stop().await;
}
