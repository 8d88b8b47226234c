//! Identical tasks are done once.

use std::time::Duration;

use futures_util::future::join_all;
use mainstay::contracts::tasks::TaskState;

use crate::plant::Plant;

#[tokio::test]
async fn a_task_that_has_been_done_is_answered_from_its_record() {
    let plant = Plant::with_backends(1, Duration::ZERO).await;
    let first = plant.task(r#"{"a1":5,"a2":10}"#).await;
    let again = plant.task(r#" {"a2": 1e1, "a1": 5.0}"#).await;
    let other = plant.task(r#"{"m1":3,"m2":5}"#).await;
    assert_eq!([&*first.text, &*again.text, &*other.text], [r#"{"message":"OK","result":"15"}"#; 3]);
    let from = [&first, &again, &other].map(|answer| answer.header("task-from").unwrap());
    assert_eq!(from, ["execution", "record", "execution"]);
    assert_eq!(first.header("task-id"), again.header("task-id"));
    assert_ne!(first.header("task-id"), other.header("task-id"));
    assert_eq!(plant.list("").await.len(), 2);
}

#[tokio::test]
async fn identical_tasks_that_are_under_way_share_one_execution() {
    let plant = Plant::with_backends(3, Duration::from_millis(500)).await;
    let answers = join_all((0..50).map(|_| plant.task(r#"{"a1":5,"a2":10}"#))).await;
    assert!(answers.iter().all(|answer| answer.result() == "15"));
    let [task] = &*plant.list("").await else { panic!("more than one execution") };
    assert!(task.shared_by > 1, "{task:?}");
    assert_eq!(task.steps.iter().filter(|step| step.what == "replied").count(), 1);
}

#[tokio::test]
async fn a_task_that_has_failed_answers_nobody_else() {
    let plant = Plant::with_backends(1, Duration::ZERO).await;
    for _ in 0..2 {
        let answer = plant.task(r#"{"d1":5,"d2":0}"#).await;
        assert_eq!((answer.status, answer.header("task-from")), (400, Some("execution")));
    }
    let tasks = plant.list("").await;
    assert!(tasks.len() == 2 && tasks.iter().all(|task| task.state == TaskState::Failed), "{tasks:?}");
}
