//! Checks as time goes on.

use tokio::time::sleep;

use super::*;
use crate::Guard;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(10);

/// How the checks of a service are, and the index of that.
async fn health(agent: &Agent) -> (Vec<(String, String)>, u64) {
    let answer = agent.get("/v1/health/checks/web").await;
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = answer.json();
    let checks = checks.as_array().unwrap().iter().map(|check| (text(check, "Status"), text(check, "Output")));
    (checks.collect(), answer.index.unwrap())
}

fn one(status: &str, output: &str) -> Vec<(String, String)> {
    vec![(status.to_owned(), output.to_owned())]
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_says_nothing_new_changes_no_index_and_one_that_does_not_come_is_critical() {
    let guard = Guard { on: false, ..Guard::default() };
    let agent = Agent::start(Config { guard, ..Config::default() }).await;
    agent.passing("web", "web", TTL).await;
    agent.put("/v1/agent/check/pass/service:web?note=fine", "").await;
    assert_eq!(health(&agent).await, (one("passing", "fine"), 3));
    for _ in 0..20 {
        sleep(8 * SECOND).await;
        agent.put("/v1/agent/check/pass/service:web?note=fine", "").await;
    }
    assert_eq!(health(&agent).await, (one("passing", "fine"), 3));
    sleep(TTL + SECOND).await;
    assert_eq!(health(&agent).await, (one("critical", "TTL expired (last output before timeout follows): fine"), 4));
    agent.put("/v1/agent/check/warn/service:web", "").await;
    assert_eq!(health(&agent).await, (one("warning", ""), 5));
    agent.put("/v1/agent/check/update/service:web", r#"{"status":"critical","output":"no"}"#).await;
    assert_eq!(health(&agent).await, (one("critical", "no"), 6));
    sleep(62 * SECOND).await;
    assert_eq!(health(&agent).await, (Vec::new(), 7));
    let unknown = agent.ask("PUT", "/v1/agent/check/pass/service:web", "").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn with_a_guard_many_that_are_late_stay_and_can_be_found() {
    let agent = Agent::start(Config::default()).await;
    for at in 1..=5 {
        let body = format!(
            r#"{{"name":"web","id":"web-{at}","port":{at},"check":{{"ttl":"10s","status":"passing",
                "deregister_critical_service_after":"1s"}}}}"#
        );
        agent.put("/v1/agent/service/register", &body).await;
    }
    sleep(TTL + 65 * SECOND).await;
    assert_eq!(agent.get("/v1/health/service/web").await.counted().0, 5);
    assert_eq!(agent.get("/v1/health/service/web?passing").await.counted().0, 0);
    agent.put("/v1/agent/check/pass/service:web-3", "").await;
    assert_eq!(agent.get("/v1/health/service/web?passing=1").await.counted().0, 1);
    let released = agent.ask("POST", "/v1/services/web/release", "").await;
    assert!(released.text.contains(r#""instances":4"#), "{released:?}");
    assert_eq!(agent.get("/v1/health/service/web").await.counted().0, 1);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_registered_otherwise_has_a_check_that_says_whether_it_beats() {
    let agent = Agent::start(Config::default()).await;
    let answer = agent.ask("PUT", "/v1/services/web/instances/a", r#"{"address":"127.0.0.1:1","weight":3}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(health(&agent).await, (one("passing", "its lease beats"), 2));
    sleep(16 * SECOND).await;
    assert_eq!(health(&agent).await, (one("critical", "its lease has not beaten in time"), 3));
    assert_eq!(agent.ask("POST", "/v1/services/web/instances/a/beat", "").await.status, StatusCode::OK);
    agent.put("/v1/agent/service/maintenance/a?enable=true&reason=x", "").await;
    let checks = agent.get("/v1/agent/checks").await.json();
    assert_eq!(checks["service:a"]["Status"], "passing");
    assert_eq!(checks["_service_maintenance:a"]["Status"], "critical");
    agent.put("/v1/agent/service/maintenance/a?enable=0", "").await;
    let (found, _) = health(&agent).await;
    assert_eq!(found, one("passing", "its lease beats"));
    agent.put("/v1/agent/service/deregister/a", "").await;
    assert_eq!(health(&agent).await.0, []);
}
