//! A Market on a free port, and a client that also sends what no polite client would.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};

use market_web::{Config, Lab};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::ports::free_ports;

/// The header of a form.
pub(crate) const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
}

/// An answer; its status is 0 when the connection was closed without one.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Head and body, as received.
    pub(crate) text: String,
}

impl Site {
    /// A Market that is alone: there is neither a registry nor an instance.
    pub(crate) async fn open() -> Self {
        Self::with(None).await
    }

    /// The same, with a lab.
    pub(crate) async fn with(lab: Option<Lab>) -> Self {
        let nobody = format!("http://127.0.0.1:{}", free_ports(1)).parse().unwrap();
        Self::run(Config { registry: Some(nobody), lab, ..Config::default() }).await
    }

    /// The plain shop.
    pub(crate) async fn plain() -> Self {
        Self::run(Config::default()).await
    }

    pub(crate) async fn run(config: Config) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(market_web::run(config, listener, pending()));
        Self { address }
    }

    /// One request on a connection of its own, as its own host.
    pub(crate) async fn ask(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        self.ask_as(&self.address.to_string(), method, target, headers, body).await
    }

    /// The same for any host.
    pub(crate) async fn ask_as(&self, host: &str, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(
            format!(
                "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: \
                 {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
        .await
    }

    /// Sends bytes, then reads until the Market closes the connection.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        let text = String::from_utf8(received).unwrap();
        let status = text.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
        Answer { status, text }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| *field == name).map_or("", |(_, value)| value)
    }

    /// The header that sends back the cookie this answer set.
    pub(crate) fn cookie(&self) -> String {
        format!("cookie: {}\r\n", self.header("set-cookie").split(';').next().unwrap())
    }
}

/// Posts a form of the cart.
pub(crate) async fn form(site: &Site, cookie: &str, body: &str) -> Answer {
    let headers = format!("{FORM}{cookie}");
    site.ask("POST", "/", &headers, body).await
}
