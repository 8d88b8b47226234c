use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

const LINES: &str = "[a-c:%/]{0,3}(\\?((index|wait|dc|tag|passing|enable|reason|pretty|stale|raw|keys|recurse|separator\
    |cas|acquire|release|flags|epoch|revision|incarnation|%ff)(=(0|1|true|2s|dc1|%C3|[a-z0-9%]{0,4}))?&?){0,3})?";
const KEYS: &str = "(Name|ID|Port|Check|Checks|Tags|Meta|Weights|TTL|Status|ServiceID|Output|address|number|weight\
    |incarnation|lease|tags|metadata|deadline_ms|Behavior|LockDelay)";
const VALUES: &str = "(\"(a|1s|passing|127.0.0.1:80|)\"|0|1|80|null|true|\\[\\]|\\[\"a\"\\]|\\{\\}|\\{\"TTL\":\"1m\"\\}\
    |\\[\\{\"ttl\":\"1s\"\\}\\]|-|\\[)";

#[tokio::test(start_paused = true)]
async fn whatever_is_asked_in_whatever_order_is_answered() {
    let mut runner = TestRunner::deterministic();
    let [line, key, value] = [LINES, KEYS, VALUES].map(|text| prop::string::string_regex(text).unwrap());
    let field = (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let body = prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(",")));
    let request = (any::<u8>(), line, body).prop_map(|(number, line, body)| {
        [&[number % 53][..], line.as_bytes(), b"\n", body.as_bytes(), b"\xFF"].concat()
    });
    let input = prop::collection::vec(request, 1..16).prop_map(|requests| requests.concat());
    let mut done = 0;
    for _ in 0..300 {
        let input = input.new_tree(&mut runner).unwrap().current();
        done += Edge::open().await.unwrap().meet(&input).await;
    }
    assert!(done > 100, "only {done} were done");
}
