//! `kill -9` of programs in the middle of everything.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use mainstay::contracts::tasks::{TaskState, TaskView};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use crate::http::{get, post};
use crate::plant::in_time;
use crate::processes::{BACKEND, EVENTS, Ground, TASKS};

/// Who asks at once.
const CLIENTS: usize = 20;

/// Every task there is a record of, as it is now.
async fn all(events: SocketAddr) -> Vec<TaskView> {
    let (mut ids, mut until) = (HashSet::new(), u64::MAX);
    loop {
        let page: Vec<TaskView> = read(events, &format!("/tasks?most=1000&until={until}")).await;
        let before = ids.len();
        until = page.last().map_or(0, |oldest| oldest.received_ms + 1);
        ids.extend(page.into_iter().map(|task| task.id));
        if ids.len() == before {
            break;
        }
    }
    let tasks = stream::iter(ids).map(async |id| read(events, &format!("/tasks/{id}")).await);
    tasks.buffer_unordered(CLIENTS).collect().await
}

async fn read<T: DeserializeOwned>(events: SocketAddr, path: &str) -> T {
    let answer = get(events, path).await;
    serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{path}: {answer:?}"))
}

/// Each request that was answered has one record that says so, and was replied to once; how many were delivered again.
fn check(answered: &HashMap<u64, String>, tasks: &[TaskView]) -> usize {
    let by_id: HashMap<_, _> = tasks.iter().map(|task| (&task.id, task)).collect();
    for (n, id) in answered {
        let task = by_id.get(id).unwrap_or_else(|| panic!("the record of {n} is lost"));
        assert_eq!((task.state, task.result.as_deref()), (TaskState::Done, Some(&*(n + 1).to_string())), "{task:?}");
    }
    let done: Vec<_> = tasks.iter().filter(|task| task.state == TaskState::Done).collect();
    let distinct: HashSet<_> = done.iter().map(|task| task.request.get()).collect();
    assert_eq!(distinct.len(), done.len(), "a request was done twice");
    for task in &done {
        assert_eq!(task.steps.iter().filter(|step| step.what == "replied").count(), 1, "{task:?}");
    }
    done.iter().filter(|task| task.attempts > Some(1)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_300_tasks_on_three_backends_of_which_one_is_killed_all_are_answered_once() {
    let ground = Ground::new().await;
    let (tasks, events) = tokio::join!(ground.start(TASKS, ""), ground.start(EVENTS, ""));
    let backends = ["1", "2", "3"].map(|number| format!("--delay 20ms --instance {number}"));
    let mut backends = join_all(backends.iter().map(|args| ground.start(BACKEND, args))).await;
    let doomed = Mutex::new(backends.pop());

    let answered = stream::iter(0..300_u64).map(async |n| {
        let answer = in_time(post(tasks.address, "/task", format!(r#"{{"a1":{n},"a2":1}}"#))).await;
        assert_eq!((answer.status, answer.header("task-from")), (200, Some("execution")), "{n}: {answer:?}");
        assert_eq!(answer.result(), (n + 1).to_string());
        let killed = if n == 100 { doomed.lock().take() } else { None };
        if let Some(killed) = killed {
            killed.kill().await;
        }
        (n, answer.header("task-id").unwrap().to_owned())
    });
    let answered: HashMap<_, _> = answered.buffer_unordered(60).collect().await;
    let recorded = all(events.address).await;
    assert_eq!((answered.len(), recorded.len()), (300, 300));
    println!("{} of 300 tasks were delivered again", check(&answered, &recorded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_events_and_backends_are_killed_under_load() {
    kill_rounds(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "twenty rounds; scripts/test --kills runs it"]
async fn nothing_is_lost_or_doubled_in_twenty_rounds() {
    kill_rounds(20).await;
}

async fn kill_rounds(rounds: u32) {
    let ground = Ground::new().await;
    let (tasks, mut events) = tokio::join!(ground.start(TASKS, ""), ground.start(EVENTS, ""));
    let mut backends = join_all([1, 2].map(|number| ground.start(BACKEND, backend(number)))).await;

    let (next, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(client(tasks.address, Arc::clone(&next), Arc::clone(&is_over)))).collect();
    for round in 0..rounds {
        sleep(Duration::from_millis(fastrand::u64(200..3000))).await;
        if round % 2 == 0 {
            events.kill().await;
            events = ground.start(EVENTS, "").await;
        } else {
            let number = fastrand::usize(0..backends.len());
            let restarted = ground.start(BACKEND, backend(number as u32 + 1)).await;
            std::mem::replace(&mut backends[number], restarted).kill().await;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let (mut answered, mut late) = (HashMap::new(), 0);
    for client in clients {
        let (also, too_late) = in_time(client).await.unwrap();
        answered.extend(also);
        late += too_late;
    }
    let again = check(&answered, &all(events.address).await);
    println!(
        "{rounds} kills: {} tasks answered, {late} late, 0 lost, 0 doubled; {again} delivered again",
        answered.len()
    );
    assert!(answered.len() > late * 20, "{} answered, {late} late", answered.len());
}

fn backend(number: u32) -> &'static str {
    if number == 1 { "--instance 1" } else { "--instance 2" }
}

/// Asks until it is over: what was answered under which id, and how many were not answered in time.
async fn client(tasks: SocketAddr, next: Arc<AtomicU64>, is_over: Arc<AtomicBool>) -> (HashMap<u64, String>, usize) {
    let (mut answered, mut late) = (HashMap::new(), 0);
    while !is_over.load(Ordering::Relaxed) {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let answer = post(tasks, "/task", format!(r#"{{"a1":{n},"a2":1}}"#)).await;
        match answer.status {
            200 => drop(answered.insert(n, answer.header("task-id").unwrap().to_owned())),
            504 => late += 1,
            _ => panic!("{n}: {answer:?}"),
        }
    }
    (answered, late)
}
