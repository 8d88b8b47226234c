//! HAProxy: fills its servers from `SRV` records, and follows them as instances come and go.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::fs;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::process::{Registry, curl, free_port, program, run, until};

/// An instance that answers everything with its name.
async fn named(instances: &mut JoinSet<()>, name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    instances.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // A connection on which nothing is asked is in nobody's way.
            tokio::spawn(async move {
                let mut request = [0; 1024];
                if stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                    let head = format!("connection: close\r\ncontent-length: {}", name.len());
                    let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{name}").as_bytes()).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn haproxy_serves_whoever_the_registry_lists() {
    let Some(haproxy) = program("haproxy") else { return };
    let (registry, mut instances, port) = (Registry::start().await, JoinSet::new(), free_port());
    for name in ["a", "b"] {
        let address = named(&mut instances, name).await;
        registry.register("ratings", name, &address).await;
    }
    let config = format!(
        "defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n\
         resolvers registry\n  nameserver one {}\n  accepted_payload_size 4096\n  hold valid 1s\n  hold nx 1s\n  \
         hold obsolete 1s\n  hold timeout 1s\n  timeout resolve 500ms\n\
         frontend in\n  bind 127.0.0.1:{port}\n  default_backend ratings\n\
         backend ratings\n  balance roundrobin\n  option redispatch\n  \
         server-template r 4 _ratings._tcp.service.consul resolvers registry resolve-prefer ipv4 init-addr none\n",
        registry.dns
    );
    let path = registry.dir.path().join("haproxy.cfg");
    fs::write(&path, config).unwrap();
    let args = ["-f", &path.display().to_string(), "-db"];
    let _haproxy = run(&haproxy, &args, &registry.dir.path().join("haproxy.log"));
    let url = format!("http://127.0.0.1:{port}/");
    let answers = async || {
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(curl(&[&url]).await.unwrap_or_default());
        }
        seen.sort();
        seen.dedup();
        seen
    };
    let expect = async |names: &[&str]| {
        until(&format!("answers of {names:?} and nobody else"), async || {
            let seen = answers().await;
            if seen == names { Ok(()) } else { Err(format!("{seen:?}")) }
        })
        .await;
    };
    expect(&["a", "b"]).await;
    let address = named(&mut instances, "c").await;
    registry.register("ratings", "c", &address).await;
    expect(&["a", "b", "c"]).await;
    registry.deregister("ratings", "a").await;
    expect(&["b", "c"]).await;
}
