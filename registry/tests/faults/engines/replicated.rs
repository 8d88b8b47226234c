//! Registries over etcd.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use super::Papers;
use super::etcd::{Etcd, free_port};
use crate::client::Client;
use crate::process::{SOON, spawn};

pub(crate) struct Replicated {
    pub(crate) etcd: Vec<Etcd>,
    replicas: Vec<Replica>,
    args: Vec<String>,
    papers: Option<Papers>,
}

struct Replica {
    address: SocketAddr,
    child: Child,
}

impl Replicated {
    /// Three, over one etcd; nothing, if that may be missing and is.
    pub(crate) async fn start(args: &[&str]) -> Option<Self> {
        let etcd = Etcd::start("127.0.0.1").await?;
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Some(Self::over(vec![etcd], "etcd", args, None).await)
    }

    /// Three, over three members of etcd. All show one another who they are, and ask their clients.
    pub(crate) async fn with_papers() -> Option<Self> {
        let papers = Papers::new();
        let etcd = Etcd::cluster(3, &papers).await?;
        let (authority, chain, key) = (papers.authority(), papers.chain(), papers.key());
        let args = [
            ["--etcd-ca", &authority],
            ["--etcd-cert", &chain],
            ["--etcd-key", &key],
            ["--tls-cert", &chain],
            ["--tls-key", &key],
            ["--tls-clients", &authority],
            ["--replica-ca", &authority],
        ];
        let args = args.as_flattened().iter().map(|arg| (*arg).to_owned()).collect();
        Some(Self::over(etcd, "etcds", args, Some(papers)).await)
    }

    async fn over(etcd: Vec<Etcd>, scheme: &str, mut args: Vec<String>, papers: Option<Papers>) -> Self {
        let members: Vec<_> = etcd.iter().map(|member| member.clients().to_string()).collect();
        args.extend(["--engine".to_owned(), format!("{scheme}://{}/test", members.join(","))]);
        let mut replicas = Vec::new();
        for _ in 0..3 {
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
            replicas.push(Replica { address, child: spawn(address, &args).await });
        }
        let replicated = Self { etcd, replicas, args, papers };
        replicated.writer().await;
        replicated
    }

    pub(crate) fn len(&self) -> usize {
        self.replicas.len()
    }

    pub(crate) fn client(&self, replica: usize) -> Client {
        let client = Client::new(self.replicas[replica].address);
        match &self.papers {
            Some(papers) => client.over(papers.connector()),
            None => client,
        }
    }

    /// A client of a replica, over TLS, that has no certificate.
    pub(crate) fn stranger(&self, replica: usize) -> Client {
        let papers = self.papers.as_ref().expect("replicas with papers");
        Client::new(self.replicas[replica].address).over(papers.stranger())
    }

    /// Waits until somebody writes, and all who run know it.
    pub(crate) async fn writer(&self) -> usize {
        self.writer_among(&[0, 1, 2]).await
    }

    /// As [`writer`](Self::writer), without asking some of them.
    pub(crate) async fn writer_among(&self, replicas: &[usize]) -> usize {
        let known = async {
            loop {
                let mut said = Vec::new();
                for &replica in replicas {
                    said.extend(writer(self.client(replica)).await);
                }
                said.dedup();
                let found = |said: &SocketAddr| self.replicas.iter().position(|replica| replica.address == *said);
                if let [Some(writer)] = said[..]
                    && let Some(place) = found(&writer)
                    && replicas.contains(&place)
                    && self.replicas[place].child.id().is_some()
                {
                    break place;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, known).await.expect("somebody writes")
    }

    pub(crate) async fn kill(&mut self, replica: usize) {
        self.replicas[replica].child.kill().await.unwrap();
    }

    /// Stops it where it stands, and waits until all of it does.
    pub(crate) async fn pause(&self, replica: usize) {
        let threads = format!("/proc/{}/task", self.signal(replica, Signal::STOP));
        let is_stopped = |stat: String| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T"));
        let stopped = async {
            while !fs::read_dir(&threads).unwrap().all(|thread| {
                // One that has ended meanwhile does nothing either.
                fs::read_to_string(thread.unwrap().path().join("stat")).map_or(true, is_stopped)
            }) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, stopped).await.expect("it stops");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self, replica: usize) {
        self.signal(replica, Signal::CONT);
    }

    fn signal(&self, replica: usize, signal: Signal) -> u32 {
        let id = self.replicas[replica].child.id().expect("it runs");
        kill_process(Pid::from_raw(id.cast_signed()).unwrap(), signal).unwrap();
        id
    }

    pub(crate) async fn start_again(&mut self, replica: usize) {
        let address = self.replicas[replica].address;
        self.replicas[replica].child = spawn(address, &self.args).await;
    }
}

/// Who writes, as a replica that answers sees it.
pub(crate) async fn writer(mut replica: Client) -> Option<Option<SocketAddr>> {
    let health = timeout(SOON, replica.text("/health")).await.ok()??;
    let health: Value = serde_json::from_str(&health).unwrap();
    Some(health["writer"].as_str().map(|writer| writer.split_once("://").unwrap().1.parse().unwrap()))
}
