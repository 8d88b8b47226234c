//! The live page.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::site::Site;

/// Somebody who watches the page.
struct Watcher {
    stream: TcpStream,
    seen: String,
}

impl Watcher {
    async fn of(site: &Site) -> Self {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut watcher = Self { stream, seen: String::new() };
        watcher.sees("id=\"tape\"").await;
        watcher
    }

    async fn sees(&mut self, what: &str) {
        let seen = timeout(Duration::from_secs(10), async {
            while !self.seen.contains(what) {
                let mut chunk = [0; 4096];
                let length = self.stream.read(&mut chunk).await.unwrap();
                assert!(length > 0, "the stream ended");
                self.seen.push_str(&String::from_utf8_lossy(&chunk[..length]));
            }
        });
        assert!(seen.await.is_ok(), "there is no {what} in {}", self.seen);
    }
}

#[tokio::test]
async fn a_stream_begins_with_all_parts_and_goes_on_with_what_changed() {
    let site = Site::open().await;
    let mut watcher = Watcher::of(&site).await;
    for part in ["summary", "last-page", "rating-camera", "instances", "lanes"] {
        assert!(watcher.seen.contains(&format!("id=\"{part}\"")), "{part}: {}", watcher.seen);
    }
    assert!(!watcher.seen.contains("last-auction"), "that is another page's: {}", watcher.seen);
    watcher.seen.clear();
    site.ask("POST", "/api/refresh", "", "").await;
    watcher.sees("data-lane=\"football\"").await;
    assert!(!watcher.seen.contains("id=\"rating-camera\""), "it looks as before: {}", watcher.seen);
}

#[tokio::test]
async fn idle_streams_do_not_lock_the_customers_out() {
    let site = Site::open().await;
    let mut watchers = Vec::new();
    for _ in 0..256 {
        watchers.push(Watcher::of(&site).await);
    }
    let refused = site.ask("GET", "/events", "", "").await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(site.ask("GET", "/", "", "").await.status, 200);
}
