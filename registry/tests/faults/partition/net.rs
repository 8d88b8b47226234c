//! Three replicas, each with a network of its own: one link leads to etcd and to the others, one to clients.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::client::Client;
use crate::engines::Etcd;
use crate::process::PROGRAM;

const PORT: u16 = 8500;

/// This namespace stands between all others, and has etcd.
pub(super) struct Net {
    _etcd: Etcd,
    _replicas: Vec<Child>,
}

impl Net {
    /// Nothing, if etcd may be missing and is.
    pub(super) async fn start() -> Option<Self> {
        run("ip link set lo up").await;
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        let etcd = Etcd::start("0.0.0.0").await?;
        let mut replicas = Vec::new();
        for number in 1..=3 {
            // The program waits until there is an etcd, so that its links may come a moment after it.
            let child = Command::new("unshare")
                .args(["--net", PROGRAM, "--insecure", "--dns", "off", "--listen", &format!("0.0.0.0:{PORT}")])
                .args(["--engine", &format!("etcd://10.77.{number}.1:{}/test", etcd.clients().port())])
                .args(["--advertise", &format!("http://10.77.{number}.2:{PORT}")])
                .stdout(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let pid = child.id().unwrap();
            until_apart(pid).await;
            let inside = format!("nsenter --target {pid} --net");
            run(&format!("{inside} ip link set lo up")).await;
            for (net, name) in [(77, "inner"), (78, "outer")] {
                run(&format!("ip link add {name}{number} type veth peer name {name} netns {pid}")).await;
                run(&format!("ip addr add 10.{net}.{number}.1/24 dev {name}{number}")).await;
                run(&format!("ip link set {name}{number} up")).await;
                run(&format!("{inside} ip addr add 10.{net}.{number}.2/24 dev {name}")).await;
                run(&format!("{inside} ip link set {name} up")).await;
            }
            run(&format!("{inside} ip route add 10.77.0.0/16 via 10.77.{number}.1")).await;
            replicas.push(child);
        }
        let net = Self { _etcd: etcd, _replicas: replicas };
        for at in 0..3 {
            net.client(at).list("ratings").await;
        }
        Some(net)
    }

    /// A client of a replica, by a link that nothing is cut of.
    pub(super) fn client(&self, at: usize) -> Client {
        Client::new(([10, 78, u8::try_from(at + 1).unwrap(), 2], PORT).into())
    }

    /// Which replica is reached by the others under this address.
    pub(super) fn at(&self, address: &str) -> Option<usize> {
        (0..3).find(|at| address == format!("http://10.77.{}.2:{PORT}", at + 1))
    }

    /// Cuts a replica off from etcd and the others: what is sent is lost, and nobody is told.
    pub(super) async fn cut(&mut self, at: usize) {
        run(&format!("ip link set inner{} down", at + 1)).await;
    }

    pub(super) async fn heal(&mut self, at: usize) {
        run(&format!("ip link set inner{} up", at + 1)).await;
    }
}

/// Waits until a process has left this network.
async fn until_apart(pid: u32) {
    let own = std::fs::read_link("/proc/self/ns/net").unwrap();
    while std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap() == own {
        tokio::task::yield_now().await;
    }
}

async fn run(line: &str) {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().await.unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}
