//! `kill -9`, in the middle of everything.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use auction::provider::Provider;
use fastrand::Rng;
use mainstay::Client;
use mainstay::contracts::hub::{Hub, Topics};
use mainstay::contracts::quotes::{Quoted, Rfq, RfqState, provider_name};
use mainstay_records::{Record, Records, State};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::exchange::{Exchange, Running, prompt, until_known};
use crate::http::{post, try_ask};
use crate::support::{free_port, in_time};

const QUOTES: &str = env!("CARGO_BIN_EXE_quotes");
const PROVIDERS: &str = env!("CARGO_BIN_EXE_providers");

/// Who is asked by each request.
const ASKED: u32 = 5;
/// Who submits at the same time, and how long each waits in between.
const CLIENTS: usize = 8;
const BETWEEN: Duration = Duration::from_millis(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_killed_under_load_loses_nothing_and_doubles_nothing() {
    kill_the_collector(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "twenty rounds, for their numbers"]
async fn a_collector_that_is_killed_twenty_times_loses_nothing_and_doubles_nothing() {
    kill_the_collector(20).await;
}

/// What became of everything that one client submitted, by its customer.
#[derive(Default)]
struct Said {
    acknowledged: BTreeMap<String, String>,
    unanswered: HashSet<String>,
}

async fn kill_the_collector(rounds: usize) {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut chance = Rng::with_seed(seed);
    let exchange = Exchange::with_hub().await;
    let _providers = exchange.providers((1..=ASKED).map(quick)).await;
    let address = free_port().await.local_addr().unwrap();
    let mut collector = collect(&exchange, address).await;

    let enough = Arc::new(AtomicBool::new(false));
    let clients: JoinSet<_> = (0..CLIENTS).map(|client| submit(client, address, Arc::clone(&enough))).collect();
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        sleep(Duration::from_millis(chance.u64(50..800))).await;
        let killed = Instant::now();
        collector.crash().await;
        collector = collect(&exchange, address).await;
        longest = longest.max(killed.elapsed());
    }
    enough.store(true, Ordering::Relaxed);
    let mut said = Said::default();
    for client in clients.join_all().await {
        said.acknowledged.extend(client.acknowledged);
        said.unanswered.extend(client.unanswered);
    }

    for id in said.acknowledged.values() {
        let view = collector.until(id, "it is complete", |view| view.state == RfqState::Complete).await;
        assert_eq!(view.quotes, quotes_to(id), "{id}");
    }
    let counters = collector.counted(0).await;
    let records = Records::open(&exchange.records(), exchange.messages.clone()).await.unwrap();
    // Those that nobody was told of as well; and a last quote is there before its request is said to be complete.
    in_time(async {
        while !records.under_way("quotes", None, 1).await.unwrap().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    collector.stop().await;
    let kept = everything(&records).await;
    let Said { acknowledged, unanswered } = said;
    for (customer, id) in &acknowledged {
        assert_eq!(kept[customer].id, *id, "{customer}");
    }
    let (mut lost, mut doubled) = (0, 0);
    for (customer, record) in &kept {
        assert!(acknowledged.contains_key(customer) || unanswered.contains(customer), "nobody submitted {record:?}");
        let responders: HashSet<_> = record.replies.iter().map(|reply| &reply.responder).collect();
        lost += ASKED as usize - responders.len();
        doubled += record.replies.len() - responders.len();
        assert_eq!((record.state, record.asked), (State::Complete, ASKED), "{record:?}");
    }
    println!(
        "{rounds} rounds: {} requests acknowledged, {} unanswered, of which {} were kept; {} quotes: {lost} lost, \
         {doubled} doubled; longest from kill to listening {longest:?}; the last collector: {counters:?}",
        acknowledged.len(),
        unanswered.len(),
        kept.len() - acknowledged.len(),
        kept.len() * ASKED as usize,
    );
    assert_eq!((lost, doubled), (0, 0));
    assert!(acknowledged.len() > rounds, "that was no load");
}

/// Starts the program where it was before.
async fn collect(exchange: &Exchange, address: SocketAddr) -> Running {
    let (listen, records) = (address.to_string(), exchange.records());
    exchange.program(QUOTES, &["--listen", &listen, "--records", &records]).await
}

/// Submits one request after the other, of a customer each.
async fn submit(client: usize, address: SocketAddr, enough: Arc<AtomicBool>) -> Said {
    let mut said = Said::default();
    for number in 0.. {
        if enough.load(Ordering::Relaxed) {
            break;
        }
        let customer = format!("{client}-{number}");
        let body = json!({ "from": "Frankfurt", "to": "Las Vegas", "customer": customer }).to_string();
        let answer = try_ask(address, post("/submit-instant-ride-rfq", "application/json", &body)).await;
        match answer.ok().filter(|answer| answer.status != 0) {
            Some(answer) => {
                assert_eq!(answer.status, 201, "{answer:?}");
                said.acknowledged.insert(customer, answer.body["rfq-id"].as_str().unwrap().to_owned());
            }
            None => drop(said.unanswered.insert(customer)),
        }
        sleep(BETWEEN).await;
    }
    said
}

/// All requests that are kept, by their customers. None has two.
async fn everything(records: &Records) -> BTreeMap<String, Record> {
    let (mut ids, mut kept, mut until) = (HashSet::new(), BTreeMap::new(), SystemTime::now());
    loop {
        let page = records.history("quotes", until, 1000).await.unwrap();
        let before = ids.len();
        for record in page {
            until = record.received;
            if ids.insert(record.id.clone()) {
                let request: serde_json::Value = record.request().unwrap();
                let customer = request["customer"].as_str().unwrap().to_owned();
                assert!(kept.insert(customer, record).is_none(), "two requests of {request}");
            }
        }
        if ids.len() == before {
            return kept;
        }
    }
}

fn quick(number: u32) -> Provider {
    let mut provider = prompt(number);
    provider.manner.delay = Duration::ZERO..=Duration::from_millis(300);
    provider
}

/// What all of them quote to a request: they decide by its id.
fn quotes_to(id: &str) -> Vec<Quoted> {
    let rfq = Rfq { id: id.to_owned(), from: String::new(), to: String::new(), customer: String::new() };
    let quote = |number| quick(number).answer(&rfq).unwrap().quote;
    (1..=ASKED).map(|number| Quoted { responder: provider_name(number), quote: quote(number) }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_killed_with_a_request_in_mind_answers_it_when_it_is_back() {
    let exchange = Exchange::with_hub().await;
    let args = ["--number", "1", "--silence", "0", "--delay", "2s"];
    let provider = exchange.program(PROVIDERS, &args).await;
    exchange.until_present(&[provider_name(1)]).await;
    let quotes = exchange.quotes(Duration::from_secs(60)).await;
    let hub = Client::<Hub>::builder().registry(exchange.registry.into()).build().unwrap();
    until_known(&hub, |known| !known.is_empty()).await;
    let in_mind = async || {
        let topics = hub.call(Topics {}).await.unwrap().value;
        let mut channels = topics.into_iter().flat_map(|topic| topic.channels);
        channels.any(|channel| channel.channel == provider_name(1) && channel.in_flight == 1)
    };

    let id = quotes.submit().await;
    in_time(async {
        while !in_mind().await {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    // Long enough to acknowledge it, and short of answering it.
    sleep(Duration::from_millis(500)).await;
    assert!(in_mind().await, "it was acknowledged before it was answered");
    provider.crash().await;
    assert_eq!(quotes.view(&id).await.answered, 0);
    let _again = exchange.program(PROVIDERS, &args).await;
    let view = quotes.until(&id, "it is complete", |view| view.state == RfqState::Complete).await;
    assert_eq!((view.asked, view.quotes.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_programs_find_each_other_and_end_when_they_are_told_to() {
    let exchange = Exchange::with_hub().await;
    let providers =
        exchange.program(PROVIDERS, &["--count", "3", "--port", "0", "--silence", "0", "--delay", "0s"]).await;
    exchange.until_present(&(1..=3).map(provider_name).collect::<Vec<_>>()).await;
    let quotes = exchange.program(QUOTES, &["--listen", "127.0.0.1:0", "--records", &exchange.records()]).await;
    let id = quotes.submit().await;
    let view = quotes.until(&id, "it is complete", |view| view.state == RfqState::Complete).await;
    assert_eq!((view.asked, view.answered), (3, 3));
    quotes.stop().await;
    providers.stop().await;
}
