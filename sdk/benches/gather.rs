//! What a gather costs beside as many single calls, and how well it keeps its deadline.
//!
//! Client and instances are on threads of their own, over loopback. The CPU time is that of the client's thread, and
//! the two are measured in turns, so that only the ratio is worth quoting:
//!
//! ```sh
//! cargo bench -p mainstay --bench gather
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and a panic is the message")]

use std::future::pending;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use mainstay::contracts::ratings::{GetRating, Rating, Ratings, Stars};
use mainstay::serve::{self, Limits, Refused};
use mainstay::{Address, Call, Client, Policy, Service};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::time::Instant;

/// Legs in each measured stretch: enough for the clock, few enough for many turns.
const STRETCH: usize = 2_000;
const TURNS: usize = 60;
const ROUNDS: usize = 200;
const DEADLINE: Duration = Duration::from_millis(50);

fn main() {
    println!("{:>5}  {:>22}  {:>22}  {:>12}", "legs", "single calls, CPU/call", "gather, CPU/leg", "ratio");
    for legs in [1, 3, 10, 100] {
        let addresses = instances(legs);
        run(async {
            let client = client(&addresses, Ratings::POLICY);
            let (mut single, mut gathered, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for turn in 0..TURNS {
                let rounds = (STRETCH / legs) as u32;
                let a = cpu(calls(&client, legs, rounds)).await / rounds / legs as u32;
                let b = cpu(gathers(&client, legs, rounds)).await / rounds / legs as u32;
                // The first ones open the connections.
                if turn > 0 {
                    single.push(a);
                    gathered.push(b);
                    ratios.push(b.as_nanos() * 1000 / a.as_nanos());
                }
            }
            let [low, middle, high] = quartiles(&mut ratios).map(|ratio| ratio as f64 / 1000.0);
            let [_, single, _] = quartiles(&mut single);
            let [_, gathered, _] = quartiles(&mut gathered);
            println!("{legs:>5}  {single:>22.2?}  {gathered:>22.2?}  {middle:>5.2} ({low:.2}..{high:.2})");
        });
    }
    println!("\nafter a deadline of {DEADLINE:?}, {ROUNDS} times:");
    deadlines(9, 1, 0);
    deadlines(90, 5, 5);
}

/// So many instances that answer, hang, and are dead: how late is the answer?
fn deadlines(answering: usize, hung: usize, dead: usize) {
    let mut addresses = instances(answering);
    let listener = |_| std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    // Nobody accepts, so the kernel does, and then nothing comes.
    let silent: Vec<_> = (0..hung).map(listener).collect();
    let refusing: Vec<_> = (0..dead).map(listener).collect();
    addresses.extend(silent.iter().chain(&refusing).map(|listener| Address::from(listener.local_addr().unwrap())));
    drop(refusing);
    let policy = Policy::builder().timeout(DEADLINE).failure_limit(u32::MAX).build().unwrap();
    run(async {
        let client = client(&addresses, policy);
        let mut late = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let ratings = client.gather(GetRating::new("camera")).await.unwrap();
            let elapsed = began.elapsed();
            assert_eq!(ratings.answers().count(), answering);
            late.push(elapsed.saturating_sub(DEADLINE));
        }
        let [_, median, _] = quartiles(&mut late);
        let (p99, most) = (late[late.len() * 99 / 100], late[late.len() - 1]);
        println!(
            "{answering} answer, {hung} hang, {dead} are dead: late by p50 {median:.2?}, p99 {p99:.2?}, at most {most:.2?}"
        );
    });
}

async fn calls(client: &Client<Ratings>, legs: usize, rounds: u32) {
    for _ in 0..rounds {
        let calls = (0..legs).map(|_| client.call(GetRating::new("camera")));
        assert!(black_box(join_all(calls).await).iter().all(Result::is_ok));
    }
}

async fn gathers(client: &Client<Ratings>, legs: usize, rounds: u32) {
    for _ in 0..rounds {
        let ratings = client.gather(GetRating::new("camera")).await.unwrap();
        assert_eq!(black_box(ratings).answers().count(), legs);
    }
}

fn client(addresses: &[Address], policy: Policy) -> Client<Ratings> {
    // Keeping last good values is part of a call and not of a gather; it is not what is compared.
    let policy = policy.to_builder().forget_last_good().build().unwrap();
    Client::builder().fixed(addresses.iter().cloned()).policy(policy).build().unwrap()
}

/// Starts so many instances on a thread of their own.
fn instances(count: usize) -> Vec<Address> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        run(async {
            for _ in 0..count {
                let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
                tell.send(Address::from(listener.local_addr().unwrap())).unwrap();
                let router = Router::new().route(GetRating::ROUTE, serve::call(rate));
                tokio::spawn(serve::run(listener, router, Limits::default(), pending()));
            }
            drop(tell);
            pending::<()>().await;
        });
    });
    told.iter().collect()
}

async fn rate(call: GetRating) -> Result<Rating, Refused> {
    Ok(Rating { thing: call.thing, rating: Stars::new(4.5).unwrap() })
}

/// The CPU time that this thread takes for something.
async fn cpu(work: impl Future<Output = ()>) -> Duration {
    let before = thread_time();
    work.await;
    thread_time() - before
}

fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

fn quartiles<T: Ord + Copy>(values: &mut [T]) -> [T; 3] {
    values.sort_unstable();
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}

fn run(work: impl Future<Output = ()>) {
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}
