//! What is refused, and with which words.

use mainstay_registry::Config;

use crate::agent::Agent;

async fn refused(agent: &Agent, cases: &[(&str, &str, &str, u16, &str)]) {
    for (method, path, body, status, words) in cases {
        let answer = agent.ask(method, path, body).await;
        assert_eq!(answer.status, *status, "{method} {path} {body}: {answer:?}");
        assert!(answer.body.contains(words), "{method} {path} {body}: {answer:?} does not say {words:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_not_understood_is_refused_and_named() {
    let agent = Agent::start(Config::default()).await;
    for name in
        ["filter", "near", "node-meta", "ns", "partition", "peer", "cached", "merge-central-config", "hash", "x"]
    {
        for path in ["/v1/health/service/web", "/v1/catalog/services", "/v1/agent/services", "/v1/status/leader"] {
            let answer = agent.ask("GET", &format!("{path}?{name}=1"), "").await;
            let words = format!("query parameter {name:?} is not supported here");
            assert_eq!((answer.status, answer.body), (400, words), "{path}");
        }
    }
    let elsewhere = "No path to datacenter";
    refused(
        &agent,
        &[
            ("GET", "/v1/health/service/web?dc=dc2", "", 500, elsewhere),
            ("GET", "/v1/agent/services?index=1", "", 400, "\"index\" is not supported"),
            ("GET", "/v1/health/service/web?index=1&index=2", "", 400, "\"index\" is there twice"),
            ("GET", "/v1/health/service/web?index=-1", "", 400, "Invalid index"),
            ("GET", "/v1/health/service/web?index=1&wait=10", "", 400, "Invalid wait time: \"10\""),
            ("GET", "/v1/health/service/web?passing=maybe", "", 400, "Invalid value for ?passing"),
            ("GET", "/v1/health/service/web?stale&consistent", "", 400, "conflicting"),
            ("GET", "/v1/health/service/My_Service", "", 400, "1 to 63 of a-z 0-9 -"),
            ("GET", "/v1/health/state/well", "", 400, "any, passing, warning or critical"),
            ("GET", "/v1/health/connect/web", "", 400, "no Connect"),
            ("GET", "/v1/catalog/connect/web", "", 400, "no Connect"),
            ("PUT", "/v1/catalog/register", "{}", 400, "/v1/agent/service/register"),
            ("PUT", "/v1/agent/maintenance?enable=true", "", 400, "would take every service away"),
        ],
    )
    .await;
    agent.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let agent = Agent::start(Config::default()).await;
    let check = "Unknown check ID \"x\". Ensure that the check ID is passed, not the check name.";
    let service = "Unknown service ID \"x\". Ensure that the service ID is passed, not the service name.";
    refused(
        &agent,
        &[
            ("PUT", "/v1/agent/check/pass/x", "", 404, check),
            ("PUT", "/v1/agent/check/update/x", r#"{"Status":"passing"}"#, 404, check),
            ("PUT", "/v1/agent/check/deregister/x", "", 404, check),
            ("PUT", "/v1/agent/check/register", r#"{"Name":"c","ServiceID":"x","TTL":"1s"}"#, 404, service),
            ("PUT", "/v1/agent/service/deregister/x", "", 404, service),
            ("PUT", "/v1/agent/service/deregister/web/x", "", 404, service),
            ("PUT", "/v1/agent/service/maintenance/x?enable=1", "", 404, service),
            ("GET", "/v1/agent/service/x", "", 404, "unknown service ID"),
            ("GET", "/v1/agent/health/service/id/x", "", 404, "unknown service ID"),
            ("GET", "/v1/agent/health/service/name/x", "", 404, "Not Found"),
        ],
    )
    .await;
    agent.stop().await;
}

#[tokio::test]
async fn a_definition_that_cannot_be_kept_is_refused_with_the_rule() {
    let agent = Agent::start(Config::default()).await;
    let long = "x".repeat(2000);
    let notes = format!(r#"{{"Name":"a","Check":{{"TTL":"1s","Notes":"{long}"}}}}"#);
    let service = "/v1/agent/service/register";
    let cases = [
        ("", "Request decode failed"),
        ("[]", "Request decode failed"),
        ("{}", "Missing service name"),
        (r#"{"Name":"My_Service"}"#, "1 to 63 of a-z 0-9 -"),
        (r#"{"Name":"a","ID":"a/b"}"#, "1 to 128 of"),
        (r#"{"Name":"a","name":"b"}"#, "the same"),
        (r#"{"Name":"a","Port":70000}"#, "Port"),
        (r#"{"Name":"a","Port":"80"}"#, "Port"),
        (r#"{"Name":"a","Address":"a b"}"#, "is not http://host:port"),
        (r#"{"Name":"a","Address":"a/b","Port":1}"#, "no path"),
        (r#"{"Name":"a","Address":"0.0.0.0","Port":1}"#, "no place that clients can reach"),
        (r#"{"Name":"a","Weights":{"Passing":1001}}"#, "weight is 1001"),
        (r#"{"Name":"a","Tags":["x",""]}"#, "tag"),
        (r#"{"Name":"a","Kind":"connect-proxy"}"#, "\"Kind\" is not supported"),
        (r#"{"Name":"a","Connect":{"Native":true}}"#, "\"Connect\" is not supported"),
        (r#"{"Name":"a","EnableTagOverride":true}"#, "\"EnableTagOverride\" is not supported"),
        (r#"{"Name":"a","TaggedAddresses":{"lan":{"Address":"x"}}}"#, "\"TaggedAddresses\" is not supported"),
        (r#"{"Name":"a","Namespace":"n"}"#, "\"Namespace\" is not supported"),
        (
            r#"{"Name":"a","Check":{"HTTP":"http://x","Interval":"1s"}}"#,
            "HTTP is not supported here: this registry makes",
        ),
        (r#"{"Name":"a","Check":{"args":["x"],"Interval":"1s"}}"#, "Args is not supported"),
        (r#"{"Name":"a","Check":{"Notes":"x"}}"#, "TTL is missing"),
        (r#"{"Name":"a","Check":{"TTL":"10"}}"#, "no length of time"),
        (r#"{"Name":"a","Check":{"TTL":"1ms"}}"#, "must be from 100ms"),
        (r#"{"Name":"a","Check":{"TTL":"25h"}}"#, "to 86400s"),
        (r#"{"Name":"a","Check":{"TTL":"1s","Status":"fine"}}"#, "Invalid check status"),
        (r#"{"Name":"a","Check":{"TTL":"1s","DeregisterCriticalServiceAfter":"1000h"}}"#, "longer than"),
        (r#"{"Name":"a","Check":{"TTL":"1s","SuccessBeforePassing":3}}"#, "\"SuccessBeforePassing\" is not supported"),
        (r#"{"Name":"a","Checks":[{"TTL":"1s","CheckID":"c"},{"TTL":"1s","CheckID":"c"}]}"#, "two checks \"c\""),
        (notes.as_str(), "longer than 1024 bytes"),
    ];
    for (body, words) in cases {
        refused(&agent, &[("PUT", service, body, 400, words)]).await;
    }
    refused(
        &agent,
        &[
            ("PUT", "/v1/agent/check/register", r#"{"Name":"c","TTL":"1s"}"#, 400, "ServiceID is missing"),
            ("PUT", "/v1/agent/check/register", r#"{"ServiceID":"a","TTL":"1s"}"#, 400, "Missing check name"),
            ("PUT", "/v1/agent/service/maintenance/a", "", 400, "Missing value for enable"),
            ("PUT", "/v1/agent/service/maintenance/a?enable=2", "", 400, "Invalid value for ?enable"),
            ("PUT", "/v1/agent/check/update/x", r#"{"Status":"well"}"#, 400, "Invalid check status: \"well\""),
            ("PUT", "/v1/agent/service/register?x", "{}", 400, "\"x\" is not supported"),
        ],
    )
    .await;
    assert_eq!(agent.get("/v1/agent/services").await, serde_json::json!({}));
    agent.stop().await;
}

#[tokio::test]
async fn output_is_cut_off_and_a_body_that_is_too_long_is_refused() {
    let agent = Agent::start(Config::default()).await;
    agent.register(r#"{"Name":"a","Check":{"TTL":"1m"}}"#).await;
    let output = format!("x{}", "ä".repeat(3000));
    agent.put("/v1/agent/check/update/service:a", &format!(r#"{{"Status":"passing","Output":"{output}"}}"#)).await;
    let kept = agent.get("/v1/agent/checks").await["service:a"]["Output"].as_str().unwrap().to_owned();
    assert_eq!((kept.len(), output.starts_with(&kept)), (4095, true));
    let long = format!(r#"{{"Status":"passing","Output":"{}"}}"#, "x".repeat(70_000));
    refused(&agent, &[("PUT", "/v1/agent/check/update/service:a", &long, 413, "longer than 65536 bytes")]).await;
    agent.stop().await;
}
