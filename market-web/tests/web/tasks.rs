//! The tasks' page and its form, over real HTTP.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use mainstay::Call as _;
use mainstay::contracts::tasks::{
    Backends, DoTask, Events, GetTask, ListTasks, TaskResult, TaskState, TaskStep, TaskView, Tasks,
};
use mainstay::serve::{self, Refused};
use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::services::Town;
use crate::site::{FORM, Site};

const SUM: &str = "first=5&operation=a&second=10";

fn task(state: TaskState) -> TaskView {
    let step = |what: &str, by: &str, at_ms| TaskStep { what: what.to_owned(), by: by.to_owned(), at_ms };
    TaskView {
        id: "7".to_owned(),
        request: RawValue::from_string(r#"{"a1":5,"a2":10}"#.to_owned()).unwrap(),
        state,
        result: (state == TaskState::Done).then(|| "<b>15</b>".to_owned()),
        reason: None,
        by: (state == TaskState::Done).then(|| "backend-2".to_owned()),
        attempts: Some(2),
        received_ms: 1000,
        ends_ms: 6000,
        finished_ms: Some(1012),
        shared_by: 3,
        steps: vec![
            step("received", "events", 1000),
            step("dispatched again", "events", 1004),
            step("replied", "backend-2", 1011),
        ],
    }
}

#[tokio::test]
async fn the_page_sends_nothing_until_it_is_told() {
    let site = Site::open().await;
    let page = site.ask("GET", "/tasks", "", "").await;
    assert_eq!(page.status, 200);
    for holds in
        ["No task has been sent", "No events service is registered", "value=\"5\"", "\"page\">Tasks", "subtract"]
    {
        assert!(page.text.contains(holds), "no {holds} in {}", page.text);
    }
    let state = site.ask("GET", "/api/state", "", "").await.text;
    assert!(state.contains(r#""tasks":[]"#) && state.contains(r#""backends":[]"#), "{state}");
}

#[tokio::test]
async fn a_form_that_is_no_task_says_why() {
    let site = Site::open().await;
    let long = format!("first=5&operation=a&second={}", "1".repeat(101));
    for (method, headers, body, status, holds) in [
        ("POST", FORM, "", 400, "The form could not be read: missing field `first`"),
        ("POST", FORM, "first=5&operation=a", 400, "missing field `second`"),
        ("POST", FORM, "first=&operation=a&second=1", 400, "The first operand is missing."),
        ("POST", FORM, "first=5&operation=a&second=+", 400, "The second operand is missing."),
        ("POST", FORM, long.as_str(), 400, "The second operand has more than 100 characters."),
        ("POST", FORM, "first=5&operation=x&second=1", 400, "There is no such operation."),
        ("POST", FORM, "first=5&operation=add&second=1", 400, "The form could not be read"),
        ("POST", FORM, "first=%3Cscript%3E&operation=x&second=1", 400, "value=\"&#60;script&#62;\""),
        ("POST", FORM, "first=5&operation=a&second=1&send=all", 400, "does not say how many"),
        ("POST", "", SUM, 415, "this address takes forms"),
        ("PUT", "", "", 405, "allow: GET,HEAD,POST"),
    ] {
        let answer = site.ask(method, "/tasks", headers, body).await;
        assert_eq!(answer.status, status, "{method} {body}: {}", answer.text);
        assert!(answer.text.contains(holds), "{method} {body} does not hold {holds}: {}", answer.text);
    }
    let plain = Site::plain().await.ask("GET", "/tasks", "", "").await;
    assert_eq!((plain.status, plain.text.contains("the plain shop has no tasks")), (404, true));
}

#[tokio::test]
async fn tasks_are_sent_and_their_way_is_shown() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let mine = Arc::clone(&sent);
    let answer = move |task: DoTask| {
        mine.lock().push(task.request.get().to_owned());
        std::future::ready(Ok(TaskResult { message: "OK".to_owned(), result: "<b>15</b>".to_owned() }))
    };
    let find = async |asked: GetTask| match asked.id.as_str() {
        "7" => Ok(task(TaskState::Done)),
        _ => Err(Refused::not_found("no task of this id")),
    };
    let frontend = Router::new().route(DoTask::ROUTE, serve::call(answer));
    let events = Router::new()
        .route(ListTasks::ROUTE, serve::call(async |_: ListTasks| Ok(vec![task(TaskState::Done)])))
        .route(GetTask::ROUTE, serve::call(find));
    let town = Town::found().await.with::<Tasks>("tasks-1", 1, frontend).await;
    let town = town.with::<Events>("events-1", 1, events).await.with::<Backends>("backend-2", 2, Router::new()).await;
    let send = async |what: &str| {
        let pressed = town.site.ask("POST", "/tasks", FORM, &format!("{SUM}&send={what}")).await;
        assert_eq!((pressed.status, pressed.header("location")), (303, "/tasks"), "{}", pressed.text);
        std::mem::take(&mut *sent.lock())
    };

    assert_eq!(send("one").await, [r#"{"a1":5,"a2":10}"#]);
    let page = town.site.ask("GET", "/tasks", "", "").await.text;
    for holds in [
        "data-answer>&#60;b&#62;15&#60;/b&#62;",
        r#"data-task="7" data-state="done""#,
        "<b>backend #2</b> <span>replied</span> <span class=\"num\">11 ms</span>",
        "backend #2 · for 3 requests · delivered again · 12 ms",
        r#"data-again="1""#,
        r#"data-instance="2""#,
        r#"data-service="events""#,
    ] {
        assert!(page.contains(holds), "no {holds} in {page}");
    }
    assert!(!page.contains("<b>15"), "{page}");

    let (first, second) = (send("many").await, send("many").await);
    let different: HashSet<_> = first.iter().chain(&second).collect();
    assert_eq!((first.len(), second.len(), different.len()), (30, 30, 60));
    let alike = send("alike").await;
    assert_eq!((alike.len(), alike.iter().collect::<HashSet<_>>().len()), (30, 1));
    assert!(town.site.ask("GET", "/tasks", "", "").await.text.contains("30 of 30 answered"));

    let alone = town.site.ask("GET", "/tasks/7", "", "").await;
    assert_eq!((alone.status, alone.text.contains("is, by backend #2 in 12 ms,")), (200, true), "{}", alone.text);
    let unknown = town.site.ask("GET", "/tasks/8", "", "").await;
    assert_eq!((unknown.status, unknown.text.contains("there is no record")), (404, true), "{}", unknown.text);
}

#[tokio::test]
async fn a_task_that_is_refused_says_why() {
    let refuse = async |_: DoTask| -> Result<TaskResult, Refused> { Err(Refused::bad_request("division by zero")) };
    let frontend = Router::new().route(DoTask::ROUTE, serve::call(refuse));
    let town = Town::found().await.with::<Tasks>("tasks-1", 1, frontend).await;
    town.site.ask("POST", "/tasks", FORM, SUM).await;
    let page = town.site.ask("GET", "/tasks", "", "").await.text;
    assert!(page.contains("data-refused>No answer") && page.contains("Division by zero"), "{page}");
}
