//! Tokens are good for the services that they name, whatever an id or a check is called.

use mainstay_registry::{Access, Config, Rights, Token};
use tempfile::TempDir;

use crate::agent::Agent;

const REGISTER: &str = "/v1/agent/service/register";
const WEB: &str = r#"{"Name":"web","ID":"w","Check":{"TTL":"1m"}}"#;
const DB: &str = r#"{"Name":"db","ID":"d","Check":{"TTL":"1m"}}"#;

#[tokio::test]
async fn who_may_register_one_service_may_not_change_another() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("tokens.json");
    let (one, all) = (Token::new().unwrap(), Token::new().unwrap());
    one.add(&path, "web", Rights { read: Vec::new(), register: vec!["web".to_owned()] }).unwrap();
    all.add(&path, "all", Rights::all()).unwrap();
    let access = Some(Access::load(&path).unwrap());
    let agent = Agent::start(Config { access, ..Config::default() }).await;
    for (token, method, path, body, status) in [
        (&one, "PUT", REGISTER, WEB, 200),
        (&one, "PUT", REGISTER, DB, 403),
        (&all, "PUT", REGISTER, DB, 200),
        (&one, "PUT", REGISTER, r#"{"Name":"web","ID":"d"}"#, 403),
        (&one, "PUT", "/v1/agent/check/pass/service:w", "", 200),
        (&one, "PUT", "/v1/agent/check/pass/service:w", "", 200),
        (&one, "PUT", "/v1/agent/check/fail/service:d", "", 403),
        (&all, "PUT", "/v1/agent/check/pass/service:d", "", 200),
        (&one, "PUT", "/v1/agent/check/pass/service:d", "", 403),
        (&one, "PUT", "/v1/agent/check/deregister/service:d", "", 403),
        (&one, "PUT", "/v1/agent/check/register", r#"{"Name":"c","ServiceID":"d","TTL":"1s"}"#, 403),
        (&one, "PUT", "/v1/agent/service/maintenance/d?enable=1", "", 403),
        (&one, "PUT", "/v1/agent/service/deregister/d", "", 403),
        (&one, "GET", "/v1/health/service/web", "", 200),
        (&one, "GET", "/v1/health/service/db", "", 403),
        (&one, "GET", "/v1/catalog/service/db", "", 403),
        (&one, "GET", "/v1/agent/services", "", 200),
        (&one, "GET", "/v1/agent/service/w", "", 200),
        (&one, "GET", "/v1/agent/service/d", "", 404),
        (&one, "GET", "/v1/status/leader", "", 200),
        (&one, "GET", "/v1/kv/?keys", "", 403),
        (&all, "GET", "/v1/agent/services", "", 200),
        (&one, "PUT", "/v1/agent/service/deregister/w", "", 200),
    ] {
        let answer = agent.ask_as(token.reveal(), method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {answer:?}");
    }
    assert_eq!(agent.ask("PUT", REGISTER, WEB).await.status, 401);
    let found = agent.ask_as(all.reveal(), "GET", "/v1/health/service/db?passing", "").await.json();
    assert_eq!(found.as_array().unwrap().len(), 1, "nothing of it was changed");
    agent.stop().await;
}

#[tokio::test]
async fn lists_of_all_services_have_those_that_may_be_read() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("tokens.json");
    let (one, all, none) = (Token::new().unwrap(), Token::new().unwrap(), Token::new().unwrap());
    one.add(&path, "web", Rights { read: vec!["web".to_owned()], register: Vec::new() }).unwrap();
    all.add(&path, "all", Rights::all()).unwrap();
    none.add(&path, "none", Rights::default()).unwrap();
    let access = Some(Access::load(&path).unwrap());
    let agent = Agent::start(Config { access, ..Config::default() }).await;
    for body in [WEB, DB] {
        assert_eq!(agent.ask_as(all.reveal(), "PUT", REGISTER, body).await.status, 200);
    }
    for path in [
        "/v1/catalog/services",
        "/v1/catalog/node/mainstay",
        "/v1/agent/services",
        "/v1/agent/checks",
        "/v1/health/state/any",
        "/v1/health/state/critical",
        "/v1/health/node/mainstay",
    ] {
        let [ones, alls] = [&one, &all].map(|token| agent.ask_as(token.reveal(), "GET", path, ""));
        let (ones, alls) = (ones.await, alls.await);
        assert_eq!((ones.status, alls.status), (200, 200), "{path}: {ones:?}");
        assert!(ones.body.contains("\"web\"") && !ones.body.contains("\"db\""), "{path}: {ones:?}");
        assert!(alls.body.contains("\"web\"") && alls.body.contains("\"db\""), "{path}: {alls:?}");
        assert_eq!(agent.ask_as(none.reveal(), "GET", path, "").await.status, 403, "{path}");
        assert_eq!(agent.ask("GET", path, "").await.status, 401, "{path}");
    }
    agent.stop().await;
}
