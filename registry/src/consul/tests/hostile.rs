//! Whatever is said, something is answered, and nothing breaks.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

const PATHS: &str = "/v1/(agent/(self|members|services|checks|maintenance|service/(register|deregister/a|maintenance/a|a)\
    |check/(register|deregister/service:a|pass/service:a|fail/service:a|update/service:a)|health/service/(id|name)/a)\
    |catalog/(services|nodes|node/mainstay|service/a)|health/(service/a|checks/a|state/(any|x)|node/x)|status/leader)";
const QUERIES: &str = "(\\?((index|wait|dc|tag|passing|enable|reason|note|format|pretty|stale|filter|%ff)\
    (=(0|1|true|2s|dc1|%C3|[a-z0-9%]{0,4}))?&?){0,3})?";
const KEYS: &str = "(Name|ID|Port|Check|Checks|Tags|Meta|Weights|TTL|Status|ServiceID|Output)";
const VALUES: &str = "(\"(a|1s|passing|)\"|0|1|80|null|true|\\[\\]|\\[\"a\"\\]|\\{\\}|\\{\"TTL\":\"1m\"\\}|\\[\\{\"ttl\":\"1s\"\\}\\]|-|\\[)";

#[tokio::test(start_paused = true)]
async fn whatever_is_asked_is_answered() {
    let agent = Agent::start(Config::default()).await;
    let mut runner = TestRunner::deterministic();
    let method = prop_oneof![Just("GET"), Just("PUT"), Just("HEAD")];
    let [path, query, key, value] =
        [PATHS, QUERIES, KEYS, VALUES].map(|text| prop::string::string_regex(text).unwrap());
    let field = (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let body = prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(",")));
    let input = (method, path, query, body);
    let mut done = 0;
    for round in 0..3_000 {
        if round % 20 == 0 {
            agent.passing("a", "a", Duration::from_secs(60)).await;
        }
        let (method, path, query, body) = input.new_tree(&mut runner).unwrap().current();
        let Ok(uri) = format!("{path}{query}").parse::<http::Uri>() else { continue };
        let answer = agent.ask(method, &uri.to_string(), &body).await;
        // As Consul does, who asks for another data centre is told so with a 500.
        let elsewhere = uri.query().is_some_and(|query| query.contains("dc"));
        let is_said = answer.status != StatusCode::INTERNAL_SERVER_ERROR || elsewhere;
        assert!(is_said, "{method} {uri} {body}: {answer:?}");
        done += usize::from(method == "PUT" && answer.status == StatusCode::OK);
    }
    assert!(done > 0, "nothing was done");
}
