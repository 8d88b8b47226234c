//! Quotes as they arrive.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::Instant;

use super::exchange::{Exchange, silent};
use crate::support::in_time;

const MINUTE: Duration = Duration::from_secs(60);

/// One reader of a request's events.
struct Events(
    Lines<BufReader<OwnedReadHalf>>,
    #[expect(dead_code, reason = "keeps it open")] tokio::net::tcp::OwnedWriteHalf,
);

impl Events {
    async fn open(address: SocketAddr, id: &str) -> Self {
        let (read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
        let request = format!("GET /query-instant-ride-rfq/{id}/events HTTP/1.1\r\nhost: quotes\r\n\r\n");
        write.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(read).lines();
        let status = in_time(lines.next_line()).await.unwrap().unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        Self(lines, write)
    }

    /// The next event's name and data; nothing when there are no more.
    async fn next(&mut self) -> Option<(String, Value)> {
        let mut name = None;
        while let Some(line) = in_time(self.0.next_line()).await.ok()? {
            if let Some(said) = line.strip_prefix("event: ") {
                name = Some(said.to_owned());
            } else if let (Some(data), Some(name)) = (line.strip_prefix("data: "), &name) {
                return Some((name.clone(), serde_json::from_str(data).unwrap()));
            } else if line == "0" {
                // The end of a body in chunks.
                return None;
            }
        }
        None
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_are_told_as_they_arrive_and_then_that_it_is_over() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([1, 2].map(silent)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;
    let mut early = Events::open(quotes.address, &id).await;
    for (number, quote) in [(2, 90), (1, 16)] {
        exchange.tell(&id, number, quote).await;
        let (name, data) = early.next().await.unwrap();
        assert_eq!((name.as_str(), &data["quote"]), ("quote", &quote.into()), "{data}");
    }
    let mut late = Events::open(quotes.address, &id).await;
    for _ in 0..2 {
        assert_eq!(late.next().await.unwrap().0, "quote");
    }
    for mut events in [early, late] {
        let (name, data) = events.next().await.unwrap();
        assert_eq!((name.as_str(), &data), ("over", &quotes.query(&id).await.body));
        assert_eq!(data["state"], "complete");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_bounded_and_end_with_the_service() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([silent(1)]).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;
    let mut streams = Vec::new();
    for _ in 0..256 {
        streams.push(Events::open(quotes.address, &id).await);
    }
    let refused = quotes.get(&format!("/query-instant-ride-rfq/{id}/events")).await;
    assert_eq!((refused.status, &refused.body["reason"]), (503, &"too many streams are open; query it instead".into()));
    assert_eq!(quotes.query(&id).await.status, 200);

    let begun = Instant::now();
    quotes.stop().await;
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert_eq!(streams.remove(0).next().await, None);
}
