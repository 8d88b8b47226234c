//! What nobody does in time.

use std::time::Duration;

use mainstay::contracts::tasks::TaskState;
use tokio::time::{Instant, sleep};

use crate::http::post;
use crate::plant::Plant;

const TASK: &str = r#"{"a1":5,"a2":10}"#;

#[tokio::test]
async fn without_a_backend_the_answer_is_504_and_the_next_one_is_not_poisoned() {
    let mut plant = Plant::empty().await;
    let begun = Instant::now();
    let answer = plant.task(TASK).await;
    assert!((5000..5900).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!((answer.status, &answer.body["message"]), (504, &"FAIL".into()), "{answer:?}");
    assert!(answer.reason().starts_with("nobody has done it within 5 s"), "{answer:?}");
    assert!(answer.reason().ends_with("no backend is registered"), "{answer:?}");

    let late = plant.until_newest(TaskState::TimedOut).await;
    assert_eq!(late.steps.iter().map(|step| &*step.what).collect::<Vec<_>>(), ["received", "dispatched", "timed out"]);
    assert_eq!((late.result, late.by), (None, None));

    plant.start_backend(1, Duration::ZERO).await;
    let answer = plant.task(TASK).await;
    assert_eq!((answer.status, answer.header("task-from")), (200, Some("execution")), "{answer:?}");
    assert_ne!(answer.header("task-id"), Some(&*late.id));
}

#[tokio::test]
async fn who_shares_a_late_execution_has_their_own_time() {
    let mut plant = Plant::empty().await;
    let first = tokio::spawn(post(plant.frontend, "/task", TASK));
    sleep(Duration::from_secs(3)).await;
    let second = tokio::spawn(post(plant.frontend, "/task", TASK));
    assert_eq!(first.await.unwrap().status, 504);
    plant.start_backend(1, Duration::ZERO).await;
    let second = second.await.unwrap();
    assert_eq!((second.status, second.header("task-from")), (200, Some("execution")), "{second:?}");
}
