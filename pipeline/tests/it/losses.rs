//! Backends that are lost in the middle of what they do.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use mainstay::contracts::tasks::TaskState;
use parking_lot::Mutex;
use tokio::time::sleep;

use crate::plant::Plant;

#[tokio::test]
async fn what_a_lost_backend_had_begun_another_one_does_in_time() {
    let mut plant = Plant::with_backends(1, Duration::from_secs(60)).await;
    let (frontend, task) = (plant.frontend, r#"{"a1":5,"a2":10}"#);
    let answer = tokio::spawn(crate::http::post(frontend, "/task", task));
    plant.until_newest(TaskState::Open).await;
    // Until backend 1 has it, which nobody tells.
    sleep(Duration::from_millis(500)).await;
    plant.lose_backend(1);
    plant.start_backend(2, Duration::ZERO).await;
    let answer = answer.await.unwrap();
    assert_eq!((answer.status, answer.header("task-from")), (200, Some("execution")), "{answer:?}");
    let task = plant.until_newest(TaskState::Done).await;
    assert_eq!((task.by.as_deref(), task.attempts), (Some("backend-2"), Some(2)), "{task:?}");
    let steps: Vec<_> = task.steps.iter().map(|step| (&*step.what, &*step.by)).collect();
    let expected =
        [("received", "events"), ("dispatched", "events"), ("dispatched again", "events"), ("replied", "backend-2")];
    assert_eq!(steps[..4], expected);
}

#[tokio::test]
async fn of_300_tasks_on_three_backends_none_is_lost_and_none_done_twice() {
    let plant = Plant::with_backends(3, Duration::from_millis(10)).await;
    let plant = Mutex::new(plant);
    let frontend = plant.lock().frontend;
    let asked = stream::iter(0..300).map(async |n| {
        let task = format!(r#"{{"a1":{n},"a2":1000}}"#);
        let answer = crate::plant::in_time(crate::http::post(frontend, "/task", task)).await;
        assert_eq!((answer.status, answer.header("task-from")), (200, Some("execution")), "{n}: {answer:?}");
        assert_eq!(answer.result(), (n + 1000).to_string());
        if n == 100 {
            plant.lock().lose_backend(2);
        }
    });
    asked.buffer_unordered(50).collect::<Vec<()>>().await;
    let plant = plant.into_inner();
    let tasks = plant.list("most=1000").await;
    assert_eq!(tasks.len(), 300);
    assert_eq!(tasks.iter().map(|task| task.request.get()).collect::<HashSet<_>>().len(), 300);
    for task in tasks {
        let replied = task.steps.iter().filter(|step| step.what == "replied").count();
        assert_eq!((task.state, replied), (TaskState::Done, 1), "{task:?}");
    }
}
