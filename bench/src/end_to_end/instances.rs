//! Three instances of the ratings service, as cheap as can be: they must not be what is measured.
//!
//! They share one process and one thread, so that a second core is all they take. Every request gets the same
//! answer; of a request only its end is looked for.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;
use std::{env, future, io};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::Failed;
use crate::child::Child;

pub(crate) const COUNT: usize = 3;

pub(crate) const ANSWER: &str = concat!(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 36\r\n\r\n",
    r#"{"thing": "camera", "rating": 4.625}"#
);
/// Answers to pipelined requests that go out in one write.
const BATCH: usize = 8;

/// The child process with the instances.
#[derive(Debug)]
pub(crate) struct Instances {
    pub(crate) child: Child,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Instances {
    pub(crate) async fn start() -> Result<Self, Failed> {
        let mut child = Child::start(env::current_exe()?, ["instances"], Stdio::piped(), Stdio::inherit())?;
        let output = child.process().stdout.take().ok_or("the instances have no output")?;
        let mut lines = BufReader::new(output).lines();
        let told = timeout(Duration::from_secs(5), async {
            let mut addresses = Vec::new();
            while addresses.len() < COUNT {
                let line = lines.next_line().await?.ok_or("the instances ended before they listened")?;
                addresses.push(line.parse()?);
            }
            Ok::<_, Failed>(addresses)
        });
        let addresses = told.await.map_err(|_| "the instances do not listen within 5 s")??;
        Ok(Self { child, addresses })
    }
}

/// The child's side: listens, says where, and answers until it is ended.
pub(crate) async fn run() -> Result<(), Failed> {
    for _ in 0..COUNT {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        tokio::spawn(accept(listener));
    }
    future::pending().await
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let answers = ANSWER.repeat(BATCH);
    let mut heads = Heads::default();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let mut requests = heads.ended_in(&buffer[..read]);
        while requests > 0 {
            let batch = requests.min(BATCH);
            stream.write_all(&answers.as_bytes()[..batch * ANSWER.len()]).await?;
            requests -= batch;
        }
    }
}

/// Counts the blank lines that end requests without a body, across reads. Nothing is kept but the place in the end.
#[derive(Debug, Default)]
struct Heads {
    matched: usize,
}

impl Heads {
    fn ended_in(&mut self, read: &[u8]) -> usize {
        const END: &[u8] = b"\r\n\r\n";
        let mut ended = 0;
        for &byte in read {
            self.matched = match byte {
                byte if byte == END[self.matched] => self.matched + 1,
                b'\r' => 1,
                _ => 0,
            };
            if self.matched == END.len() {
                self.matched = 0;
                ended += 1;
            }
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use mainstay::contracts::ratings::Rating;

    use super::*;

    const REQUEST: &[u8] = b"GET /ratings/camera HTTP/1.1\r\nhost: a\r\n\r\n";

    #[test]
    fn requests_are_counted_wherever_reads_end() {
        let three = REQUEST.repeat(3);
        for cut in 0..three.len() {
            let mut heads = Heads::default();
            let counted = heads.ended_in(&three[..cut]) + heads.ended_in(&three[cut..]);
            assert_eq!(counted, 3, "cut at {cut}");
        }
        let mut heads = Heads::default();
        assert_eq!(three.iter().map(|byte| heads.ended_in(&[*byte])).sum::<usize>(), 3);
        assert_eq!(Heads::default().ended_in(b"GET / HTTP/1.1\r\n\r\r\n"), 0);
        assert_eq!(Heads::default().ended_in(b"GET / HTTP/1.1\r\r\n\r\n"), 1);
    }

    #[test]
    fn the_answer_is_a_rating_of_the_length_it_says() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{} bytes", body.len());
        assert_eq!(serde_json::from_str::<Rating>(body).unwrap().thing, "camera");
    }

    #[tokio::test]
    async fn pipelined_requests_get_as_many_answers() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tokio::spawn(accept(listener));
        stream.write_all(&REQUEST.repeat(2 * BATCH + 1)).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answers = String::new();
        timeout(Duration::from_secs(5), stream.read_to_string(&mut answers)).await.unwrap().unwrap();
        assert_eq!(answers, ANSWER.repeat(2 * BATCH + 1));
    }
}
