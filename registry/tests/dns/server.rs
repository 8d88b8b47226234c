//! A name server on a free port, and a client that says exactly what it is told to.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use mainstay_contracts::registry::Listed;
use mainstay_registry::dns::{Config, Names, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// What is longer than this has not happened.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// What a test says that there is.
#[derive(Default)]
pub(crate) struct Known(HashMap<String, Vec<Arc<Listed>>>);

impl Names for Known {
    fn revision(&self, service: &str) -> Option<u64> {
        self.0.get(service).map(|_| 1)
    }

    fn instances(&self, service: &str) -> Vec<Arc<Listed>> {
        self.0.get(service).cloned().unwrap_or_default()
    }
}

impl Known {
    /// With a service of so many instances, of which every tenth has the tag `tenth`.
    pub(crate) fn and(mut self, service: &str, count: u32) -> Self {
        self.0.insert(service.to_owned(), (0..count).map(instance).map(Arc::new).collect());
        self
    }
}

fn instance(n: u32) -> Listed {
    let tags = if n.is_multiple_of(10) { vec!["tenth"] } else { vec![] };
    let address = format!("127.1.{}.{}:{}", n / 250, n % 250 + 1, 8_001 + n % 50_000);
    let json = json!({
        "id": format!("r{n}"), "number": n + 1, "address": address, "tags": tags, "incarnation": 1, "presence": "up",
    });
    serde_json::from_value(json).unwrap()
}

/// A server that runs until it is stopped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(known: Known, config: Config) -> Self {
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(udp, tcp, Arc::new(known), config, stop.clone()));
        Self { address, stop, served }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(SOON, self.served).await.expect("it ends").unwrap();
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn datagrams(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(self.address).await.unwrap();
        socket
    }
}

/// Both with the same port. Another program may take it for TCP in between; then it is another one.
async fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both");
}

/// The bytes of a query.
pub(crate) fn query(id: u16, name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

/// Sends bytes as a message.
pub(crate) async fn send(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await.unwrap();
}

/// The next message, or nothing when the connection has ended.
pub(crate) async fn receive(stream: &mut TcpStream) -> Option<Message> {
    let received = async {
        let length = stream.read_u16().await.ok()?;
        let mut message = vec![0; length.into()];
        stream.read_exact(&mut message).await.ok()?;
        Some(Message::from_vec(&message).unwrap())
    };
    timeout(SOON, received).await.expect("an answer or an end soon")
}

/// The answer to a datagram.
pub(crate) async fn ask(socket: &UdpSocket, message: &[u8]) -> Message {
    socket.send(message).await.unwrap();
    let mut answer = vec![0; 65_536];
    let length = timeout(SOON, socket.recv(&mut answer)).await.expect("an answer soon").unwrap();
    Message::from_vec(&answer[..length]).unwrap()
}
