//! The document says what the registry does: routes, answers, limits and types.

mod document;
mod routes;
mod types;

use mainstay_registry::Config;
use serde_json::json;

use self::document::Document;
use crate::client::Running;

/// Everything is asked as the document's examples ask it, of a registry that knows the example's instance and lease.
#[tokio::test]
async fn every_example_is_answered_as_is_said() {
    let document = Document::read();
    for operation in document.operations() {
        for body in operation.bodies() {
            let registry = Running::start(Config::default()).await;
            let _lease = registry.start_stream("POST", "/v1/leases/6f2b7c1e-ratings/hold", "{}").await;
            let registered = document.schema("Register")["example"].to_string();
            let answer = registry.ask("PUT", "/v1/services/ratings/instances/ratings-1", &registered).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let (method, path, media) = (&operation.method, operation.path_with_examples(), operation.media());
            let asked = format!("{method} {path} {body}");
            let head = if operation.is_stream() {
                registry.start_stream(method, &path, &body).await.0
            } else {
                let answer = registry.ask(method, &path, &body).await;
                if media == "application/json" {
                    let json = serde_json::from_str(&answer.body).unwrap();
                    document.check(operation.answer_schema(), &json, &asked);
                }
                answer.head
            };
            assert!(head.starts_with("http/1.1 200"), "{asked}: {head}");
            assert!(head.contains(&format!("content-type: {media}")), "{asked}: {head} is not {media}");
            registry.stop().await;
        }
    }
}

#[tokio::test]
async fn what_fits_the_limits_is_taken_and_one_more_is_not() {
    let (document, registry) = (Document::read(), Running::start(Config::default()).await);
    let said = |pointer: &str| document.schema("Register")["properties"].pointer(pointer).unwrap().as_u64().unwrap();
    let text = |length: u64| json!("x".repeat(usize::try_from(length).unwrap()));
    let keys = |count: u64| (0..count).map(|key| (format!("k{key}"), json!(""))).collect::<serde_json::Map<_, _>>();
    for (limit, field, of) in [
        ("/zone/maxLength", "zone", &text as &dyn Fn(u64) -> _),
        ("/version/maxLength", "version", &text),
        ("/weight/maximum", "weight", &|most| json!(most)),
        ("/number/maximum", "number", &|most| json!(most)),
        ("/tags/maxItems", "tags", &|most| (0..most).map(|tag| json!(format!("t{tag}"))).collect()),
        ("/tags/items/maxLength", "tags", &|most| json!([text(most)])),
        ("/metadata/maxProperties", "metadata", &|most| json!(keys(most))),
        ("/metadata/additionalProperties/maxLength", "metadata", &|most| json!({ "key": text(most) })),
    ] {
        for (count, status) in [(said(limit), 200), (said(limit) + 1, 400)] {
            let body = json!({ "address": "127.0.0.1:1", field: of(count) }).to_string();
            let answer = registry.ask("PUT", "/v1/services/ratings/instances/r1", &body).await;
            assert_eq!(answer.status, status, "{limit}, {count}: {answer:?}");
        }
    }
    registry.stop().await;
}

#[tokio::test]
async fn what_is_served_is_the_document_and_the_page_tells_of_it() {
    let registry = Running::start(Config::default()).await;
    let answer = registry.ask("GET", "/v1/openapi.json", "").await;
    assert!(answer.status == 200 && answer.head.contains("content-type: application/json"), "{answer:?}");
    assert_eq!(answer.body, document::TEXT);
    let page = registry.ask("GET", "/", "").await.body;
    assert!(page.contains(r#"href="/v1/openapi.json""#));
    registry.stop().await;
}
