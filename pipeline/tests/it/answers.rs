//! What the frontend answers.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use mainstay::Client;
use mainstay::contracts::tasks::{DoTask, TaskResult, Tasks};
use serde_json::value::RawValue;

use crate::http::{ask, get, post};
use crate::plant::Plant;

#[tokio::test]
async fn tasks_are_answered_in_the_words_that_users_know() {
    let plant = Plant::with_backends(2, Duration::ZERO).await;
    for (task, result) in [
        (r#"{"a1":5,"a2":10}"#, "15"),
        (r#"{"s1":4,"s2":7}"#, "-3"),
        (r#"{"s2":7,"s1":4}"#, "-3"),
        (r#"{"m1":4,"m2":7}"#, "28"),
        (r#"{"d1":4,"d2":7}"#, "0.5714285714285714"),
        (r#"{"d1":5,"d2":2}"#, "2.5"),
        (r#"{"m1":1000,"m2":1000}"#, "1000000"),
        (r#"{"a1":"a","a2":"b"}"#, "ab"),
        (r#"{"m1":9007199254740993,"m2":9007199254740993}"#, "81129638414606699710187514626049"),
    ] {
        let answer = plant.task(task).await;
        assert_eq!(answer.status, 200, "{task}: {answer:?}");
        assert_eq!(answer.text, format!(r#"{{"message":"OK","result":"{result}"}}"#), "{task}");
    }
    let answer = get(plant.frontend, "/").await;
    assert_eq!((answer.status, &*answer.text), (200, r#""OK""#));
    assert_eq!(get(plant.frontend, "/health").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let plant = Plant::with_backends(1, Duration::ZERO).await;
    for (method, path, body, status, reason) in [
        ("POST", "/task", r#"{"a1":5}"#, 400, "exactly two properties, not 1"),
        ("POST", "/task", r#"{"a1":5,"a2":10,"a3":1}"#, 400, "exactly two properties, not 3"),
        ("POST", "/task", r#"{"a1":5,"a2":"b"}"#, 400, "both are one or the other"),
        ("POST", "/task", r#"{"x1":5,"x2":10}"#, 400, "begins with the letter of no kind"),
        ("POST", "/task", r#"{"d1":5,"d2":0}"#, 400, "division by zero"),
        ("POST", "/task", r#"{"d1":1e308,"d2":0.01}"#, 400, "too large"),
        ("POST", "/task", "a1=5&a2=10", 400, "not JSON"),
        ("POST", "/task", "", 400, "not JSON"),
        ("POST", "/nothing", r#"{"a1":5,"a2":10}"#, 404, "nothing at /nothing"),
        ("GET", "/task/15", "", 404, "nothing at /task/15"),
        ("GET", "/task", "", 405, "/task does not take GET"),
        ("POST", "/", r#"{"a1":5,"a2":10}"#, 405, "/ does not take POST"),
    ] {
        let answer = ask(plant.frontend, method, path, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {answer:?}");
        assert_eq!(answer.body["message"], "FAIL", "{answer:?}");
        assert!(answer.reason().contains(reason), "{method} {path} {body}: {answer:?}");
    }
    let huge = format!(r#"{{"a1":"{}","a2":"b"}}"#, "x".repeat(10_000_000));
    let answer = post(plant.frontend, "/task", huge).await;
    assert_eq!((answer.status, answer.reason()), (413, "a body may have 65536 bytes at most"));
    assert_eq!(plant.task(r#"{"a1":5,"a2":10}"#).await.result(), "15", "it is still alive");
}

#[tokio::test]
async fn long_tasks_are_done_too() {
    let plant = Plant::with_backends(1, Duration::ZERO).await;
    let long = "x".repeat(30_000);
    let task = format!(r#"{{"a1":"{long}","a2":"\u0080{long}"}}"#);
    for _ in 0..2 {
        assert_eq!(plant.task(&task).await.result(), format!("{long}\u{80}{long}"));
    }
}

#[tokio::test]
async fn equal_results_do_not_interfere() {
    let plant = Plant::with_backends(3, Duration::ZERO).await;
    for task in [r#"{"a1":5,"a2":10}"#, r#"{"m1":3,"m2":5}"#, r#"{"m1":3,"m2":5}"#] {
        assert_eq!(plant.task(task).await.result(), "15");
    }
    let all = stream::iter(0..200).map(async |n| {
        let answer = plant.task(format!(r#"{{"s1":{n},"s2":{}}}"#, n - n % 3)).await;
        assert_eq!(answer.result(), (n % 3).to_string(), "{n}");
    });
    all.buffer_unordered(50).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn the_frontend_is_called_as_any_service_is() {
    let plant = Plant::with_backends(1, Duration::ZERO).await;
    let client = Client::<Tasks>::builder().fixed([plant.frontend.into()]).build().unwrap();
    let task = |request: &str| DoTask { request: RawValue::from_string(request.to_owned()).unwrap() };
    let result = client.call(task(r#"{"a1":5,"a2":10}"#)).await.unwrap();
    assert_eq!(result.value, TaskResult { message: "OK".to_owned(), result: "15".to_owned() });
    let error = client.call(task(r#"{"d1":5,"d2":0}"#)).await.unwrap_err();
    assert_eq!((error.status().map(|status| status.as_u16()), error.reason()), (Some(400), Some("division by zero")));
}
