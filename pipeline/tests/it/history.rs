//! What is read of tasks.

use std::time::Duration;

use mainstay::Client;
use mainstay::contracts::tasks::{Events, GetTask, ListTasks, TaskState};

use crate::http::get;
use crate::plant::Plant;

#[tokio::test]
async fn every_step_of_a_task_is_recorded() {
    let plant = Plant::with_backends(1, Duration::ZERO).await;
    let answer = plant.task(r#"{"a2":10,"a1":5}"#).await;
    let client = Client::<Events>::builder().fixed([plant.events.into()]).build().unwrap();
    let id = answer.header("task-id").unwrap().to_owned();
    let task = client.call(GetTask { id: id.clone() }).await.unwrap().value;
    assert_eq!((&task.id, task.request.get()), (&id, r#"{"a1":5,"a2":10}"#));
    assert_eq!((task.state, task.result.as_deref(), &task.reason), (TaskState::Done, Some("15"), &None));
    assert_eq!((task.by.as_deref(), task.attempts, task.shared_by), (Some("backend-1"), Some(1), 1));
    let steps: Vec<_> = task.steps.iter().map(|step| (&*step.what, &*step.by)).collect();
    let expected = [("received", "events"), ("dispatched", "events"), ("replied", "backend-1"), ("finished", "events")];
    assert_eq!(steps, expected);
    assert!(task.steps.is_sorted_by_key(|step| step.at_ms));
    assert!(task.received_ms <= task.finished_ms.unwrap() && task.ends_ms > task.received_ms);

    let tasks = client.call(ListTasks::default()).await.unwrap().value;
    assert_eq!(tasks.iter().map(|task| &task.id).collect::<Vec<_>>(), [&id]);
}

#[tokio::test]
async fn the_history_is_as_it_was_then() {
    let plant = Plant::with_backends(1, Duration::from_millis(300)).await;
    let (_, open) = tokio::join!(plant.task(r#"{"a1":1,"a2":1}"#), plant.until_newest(TaskState::Open));
    plant.task(r#"{"a1":2,"a2":2}"#).await;

    let then = open.received_ms + 1;
    let [was] = &*plant.list(&format!("until={then}")).await else { panic!("one was there") };
    assert_eq!((&was.id, was.state, &was.result, was.finished_ms), (&open.id, TaskState::Open, &None, None));
    assert!(was.steps.iter().all(|step| step.at_ms <= then), "{was:?}");
    assert!(plant.list(&format!("until={}", open.received_ms - 1)).await.is_empty());

    let now = plant.list("").await;
    assert_eq!(now.iter().map(|task| task.result.as_deref()).collect::<Vec<_>>(), [Some("4"), Some("2")]);
    assert_eq!(plant.list("most=1").await[0].id, now[0].id);
}

#[tokio::test]
async fn a_list_of_long_tasks_ends_where_it_can_still_be_read() {
    let plant = Plant::with_backends(1, Duration::ZERO).await;
    let long = "x".repeat(30_000);
    for n in 0..100 {
        plant.task(&format!(r#"{{"a1":"{n}{long}","a2":"{long}"}}"#)).await.result();
    }
    let client = Client::<Events>::builder().fixed([plant.events.into()]).build().unwrap();
    let listed = client.call(ListTasks { most: Some(100), ..ListTasks::default() }).await.unwrap().value;
    assert!((20..100).contains(&listed.len()), "{}", listed.len());
    assert!(listed[0].result.as_ref().unwrap().starts_with("99x"), "the newest come first");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_the_reason() {
    let plant = Plant::empty().await;
    for (path, status, reason) in [
        ("/tasks/0198a7c0-0000-7000-8000-000000000000", 404, "no task 0198a7c0"),
        ("/tasks/7", 404, "no task 7"),
        ("/tasks?most=0", 400, "most is 0, not 1 to 1000"),
        ("/tasks?most=1001", 400, "most is 1001"),
        ("/tasks?most=all", 400, "invalid digit"),
        ("/tasks?until=yesterday", 400, "invalid digit"),
        ("/tasks?since=0", 400, "unknown field `since`"),
        ("/task", 404, "nothing at /task"),
    ] {
        let answer = get(plant.events, path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(answer.reason().contains(reason), "{path}: {answer:?}");
    }
    assert_eq!(get(plant.events, "/health").await.status, 200);
}
