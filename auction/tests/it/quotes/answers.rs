//! What is submitted is told, with the quotes that came.

use std::time::Duration;

use auction::provider::Provider;
use mainstay::Client;
use mainstay::contracts::quotes::{List, Query, Quoted, Quotes, Rfq, RfqState, Submit, provider_name};
use serde_json::json;
use tokio::time::Instant;

use super::exchange::{Exchange, prompt, silent, until_known};

const MINUTE: Duration = Duration::from_secs(60);

fn rfq(id: &str) -> Rfq {
    Rfq { id: id.to_owned(), from: "Frankfurt".into(), to: "Las Vegas".into(), customer: "cmr".into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_providers_are_asked_and_the_lowest_quote_is_the_best() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers((1..=10).map(prompt)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;
    let view = quotes.until(&id, "it is complete", |view| view.state == RfqState::Complete).await;

    let expected: Vec<_> = (1..=10)
        .map(|number| Quoted {
            responder: provider_name(number),
            quote: prompt(number).answer(&rfq(&id)).unwrap().quote,
        })
        .collect();
    assert_eq!((view.asked, view.answered, &view.quotes), (10, 10, &expected));
    assert_eq!(view.best.unwrap().quote, expected.iter().map(|quoted| quoted.quote).min().unwrap());
    assert_eq!((view.closes_in_ms, view.from.as_str(), view.to.as_str()), (0, "Frankfurt", "Las Vegas"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_silent_is_missed_and_holds_nobody_up() {
    let exchange = Exchange::open().await;
    let halves = (1..=10).map(|number| Provider { manner: prompt(number).manner, ..Provider::new(number) });
    let halves = halves.map(|mut provider| {
        provider.manner.silence = 0.5;
        provider
    });
    let _providers = exchange.providers(halves.clone()).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;
    let expected: Vec<_> = halves.filter(|provider| provider.answer(&rfq(&id)).is_some()).collect();
    let view = quotes.until(&id, "all have answered", |view| view.answered >= expected.len()).await;
    let names: Vec<_> = view.quotes.iter().map(|quoted| quoted.responder.clone()).collect();
    assert_eq!(names, expected.iter().map(Provider::name).collect::<Vec<_>>());
    assert_eq!((view.asked, view.state == RfqState::Complete), (10, expected.len() == 10));
    assert!((1..=60_000).contains(&view.closes_in_ms) || view.state == RfqState::Complete, "{view:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submitting_waits_for_nobody() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers((1..=10).map(silent)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let mut took = Vec::new();
    for _ in 0..21 {
        let begun = Instant::now();
        quotes.submit().await;
        took.push(begun.elapsed());
    }
    took.sort();
    // The median, as this machine may be doing other things as well.
    assert!(took[10] < Duration::from_millis(50), "{took:?}");
    println!("submitting: median {:?}, longest {:?}", took[10], took[20]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_its_fields_in_their_order() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([2, 10].map(silent)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let answer = quotes.post(r#"{"from":"Frankfurt","to":"Las Vegas","customer":"cmr"}"#).await;
    let id = answer.body["rfq-id"].as_str().unwrap();
    assert_eq!((answer.status, &answer.body), (201, &json!({ "rfq-id": id })));
    assert_eq!(answer.header("location"), Some(&*format!("/query-instant-ride-rfq/{id}")));
    assert!(quotes.query(id).await.text.ends_with(r#""best":null,"quotes":[]}"#));

    exchange.tell(id, 10, 16).await;
    exchange.tell(id, 2, 90).await;
    quotes.until(id, "both are there", |view| view.answered == 2).await;
    assert_eq!(
        quotes.query(id).await.text,
        format!(
            r#"{{"rfq-id":"{id}","from":"Frankfurt","to":"Las Vegas","customer":"cmr","state":"complete","asked":2,"answered":2,"closes_in_ms":0,"best":{{"responder":"UnicornManagementResource10","quote":16}},"quotes":[{{"responder":"UnicornManagementResource2","quote":90}},{{"responder":"UnicornManagementResource10","quote":16}}]}}"#
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_called_as_any_service() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([prompt(1)]).await;
    let quotes = exchange.quotes(MINUTE).await;
    let client = Client::<Quotes>::builder().registry(exchange.registry.into()).build().unwrap();
    until_known(&client, |known| !known.is_empty()).await;
    let mut ids = Vec::new();
    for customer in ["first", "second", "third"] {
        ids.push(client.call(Submit::new("Frankfurt", "Las Vegas", customer)).await.unwrap().value.rfq_id);
    }
    quotes.until(&ids[2], "it is complete", |view| view.state == RfqState::Complete).await;
    let asked = client.call(Query::new(&ids[2])).await.unwrap().value;
    assert_eq!((asked.customer.as_str(), asked.answered), ("third", 1));
    let newest = client.call(List { most: 2 }).await.unwrap().value;
    assert_eq!(newest.iter().map(|view| &view.id).collect::<Vec<_>>(), [&ids[2], &ids[1]]);
    let error = client.call(Query::new("7")).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 404);
}
