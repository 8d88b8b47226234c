//! Quotes and tasks among real processes: who is asked by message, paused and killed.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use tokio::join;
use tokio::time::Instant;

use crate::demo::Demo;

const RIDE: &str = "from=Frankfurt&to=Las+Vegas&customer=cmr";

/// Ten providers, of whom two are dead: nobody waits for them, and the others are asked on.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn quotes_arrive_while_some_are_paused_and_a_request_closes_in_time() {
    let demo = Demo::with_providers(10).await;
    let mark = demo.mark();
    for number in [3, 7] {
        demo.post(&format!("/lab/providers/{number}/pause")).await;
    }
    let began = Instant::now();
    assert_eq!(demo.submit("/quotes", RIDE).await.0, 303);
    assert!(began.elapsed() < Duration::from_secs(1), "nobody waits for a provider: {:?}", began.elapsed());
    let state = demo.state().await;
    assert_eq!((&state["quotes"][0]["asked"], &state["quotes"][0]["state"]), (&10.into(), &"open".into()), "{state:#}");

    let state = demo.until(|state| state["quotes"][0]["state"] == "closed").await;
    let took = began.elapsed();
    assert!((Duration::from_secs(11)..Duration::from_millis(13_500)).contains(&took), "{took:?}");
    let responders = names(&state["quotes"][0]);
    assert!((1..=8).contains(&responders.len()), "{responders:?}");
    assert!(
        !responders.iter().any(|name| name.ends_with("Resource3") || name.ends_with("Resource7")),
        "{responders:?}"
    );
    let told = demo.line(mark, "RFQ Frankfurt to Las Vegas closed with ").await.text;
    assert!(told.contains(&format!("closed with {} of 10, best ", responders.len())), "{told}");

    demo.post("/lab/providers/3/kill").await;
    demo.until(|state| row(state, "providers", 3)["registry"] == "gone").await;
    assert_eq!(demo.submit("/quotes", RIDE).await.0, 303);
    let state = demo.until(|state| state["quotes"].as_array().unwrap().len() == 2).await;
    assert_eq!(state["quotes"][0]["asked"], 9, "who is gone is not asked: {state:#}");
}

/// One of three backends is killed in the middle of thirty tasks.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn thirty_tasks_are_answered_once_though_a_backend_is_killed_among_them() {
    let demo = Demo::with_backends(0).await;
    demo.post("/lab/backends/start?count=3&delay_ms=800").await;
    let mark = demo.mark();
    let send = demo.submit("/tasks", "first=1&operation=m&second=7&send=many");
    // A backend takes eight at once: when seventeen are being done, each of the three has one.
    let kill = async {
        while in_flight(&demo).await < 17 {}
        demo.post("/lab/backends/2/kill").await;
    };
    let ((status, _), ()) = join!(send, kill);
    assert_eq!(status, 303);

    let state = demo.until(|state| count(state, |task| task["state"] == "done") == 30).await;
    let results: HashSet<u64> =
        tasks(&state).iter().map(|task| task["result"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(results, (1..=30).map(|first| 7 * first).collect());
    assert!(tasks(&state).iter().all(|task| task["by"] != "backend-2"), "it had no time to do one: {state:#}");
    let again = count(&state, |task| steps(task).contains(&"dispatched again"));
    assert!((1..=8).contains(&again), "{again} were delivered again: {state:#}");
    assert_eq!(demo.lines(mark, "TASK {\"m1\":").len(), 30, "each is told once");
    let (_, page) = demo.ask("GET", "/tasks").await;
    assert!(page.contains("30 of 30 answered") && page.contains(&format!("data-again=\"{again}\"")), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_that_nobody_does_times_out_and_the_next_one_is_done() {
    let demo = Demo::with_backends(1).await;
    demo.post("/lab/backends/1/kill").await;
    let sum = "first=5&operation=a&second=10";
    assert_eq!(demo.submit("/tasks", sum).await.0, 303);
    let state = demo.until(|state| count(state, |task| task["state"] == "timed-out") == 1).await;
    assert_eq!(tasks(&state).len(), 1, "{state:#}");
    let (_, page) = demo.ask("GET", "/tasks").await;
    assert!(page.contains("data-refused>No answer") && page.contains(r#"data-timed-out="1""#), "{page}");

    demo.post("/lab/backends/start?number=1").await;
    assert_eq!(demo.submit("/tasks", sum).await.0, 303);
    let state = demo.until(|state| count(state, |task| task["result"] == "15") == 1).await;
    let id = tasks(&state)[0]["id"].as_str().unwrap();
    let (status, page) = demo.ask("GET", &format!("/tasks/{id}")).await;
    assert_eq!((status, page.contains("is, by backend #1 in ")), (200, true), "{page}");
}

/// How many tasks are being done, as the page tells it.
async fn in_flight(demo: &Demo) -> u64 {
    let (_, page) = demo.ask("GET", "/tasks").await;
    let topic = page.split(r#"data-topic="task" "#).nth(1).unwrap_or_default();
    let number = topic.split(r#"data-in-flight=""#).nth(1).unwrap_or_default();
    number.split('"').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn names(rfq: &Value) -> Vec<&str> {
    rfq["quotes"].as_array().unwrap().iter().map(|quoted| quoted["responder"].as_str().unwrap()).collect()
}

fn row<'a>(state: &'a Value, rows: &str, number: u64) -> &'a Value {
    state[rows].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap()
}

fn tasks(state: &Value) -> &[Value] {
    state["tasks"].as_array().unwrap()
}

fn count(state: &Value, is: impl Fn(&Value) -> bool) -> usize {
    tasks(state).iter().filter(|task| is(task)).count()
}

fn steps(task: &Value) -> Vec<&str> {
    task["steps"].as_array().unwrap().iter().map(|step| step["what"].as_str().unwrap()).collect()
}
