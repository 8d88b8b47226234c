//! Its clients: what a registry over etcd does for each of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, try_join_all};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use mainstay::contracts::registry::Register;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::wire::{
    GRANT, KEEP_ALIVE, LeaseGrant, LeaseGranted, LeaseKeepAlive, LeaseKept, LeaseRevoke, Nothing, PUT, Put, REVOKE,
    WATCH, Watch, WatchCreate, WatchKind, Watched,
};
use super::{Client, Etcd};
use crate::Failed;
use crate::registry::beating::{Beating, Turns};
use crate::registry::side::{Live, Seen, Side, Writer};

/// Longer than any measure takes.
const LEASE: i64 = 3_600;
/// How many are loaded at once.
const AT_ONCE: usize = 64;

struct Registering {
    client: Client,
    leases: Vec<i64>,
}

impl Registering {
    async fn put(&mut self, instance: &Register) -> Result<(), Failed> {
        let granted: LeaseGranted = self.client.call(GRANT, LeaseGrant { seconds: LEASE, id: 0 }).await?;
        self.leases.push(granted.id);
        let key = format!("{}{}", prefix(&instance.service), instance.id).into_bytes();
        let put = Put { key, value: serde_json::to_vec(instance)?, lease: granted.id };
        self.client.call::<_, Nothing>(PUT, put).await?;
        Ok(())
    }
}

fn prefix(service: &str) -> String {
    format!("/services/{service}/")
}

impl Side for Etcd {
    fn title(&self) -> &'static str {
        "etcd: lease grant, and put with it"
    }

    fn process(&self) -> Result<u32, Failed> {
        self.child.id().ok_or_else(|| "etcd has ended".into())
    }

    fn writers(&self, count: u16) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Failed>> {
        let writer = || Box::new(Registering { client: self.client.clone(), leases: Vec::new() }) as Box<dyn Writer>;
        let writers = (0..count).map(|_| writer()).collect();
        async { Ok(writers) }.boxed()
    }
}

impl Writer for Registering {
    fn register<'a>(&'a mut self, instance: &'a Register) -> BoxFuture<'a, Result<(), Failed>> {
        self.put(instance).boxed()
    }

    fn remove(&mut self) -> BoxFuture<'_, Result<(), Failed>> {
        async move {
            for id in self.leases.drain(..) {
                self.client.call::<_, Nothing>(REVOKE, LeaseRevoke { id }).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

impl Live for Etcd {
    fn load<'a>(&'a mut self, instances: &'a [Register]) -> BoxFuture<'a, Result<(), Failed>> {
        async move {
            let lanes = instances.chunks(instances.len().div_ceil(AT_ONCE).max(1)).map(|chunk| {
                let mut lane = Registering { client: self.client.clone(), leases: Vec::new() };
                async move {
                    for instance in chunk {
                        lane.put(instance).await?;
                    }
                    Ok::<_, Failed>(lane.leases)
                }
            });
            self.leases = try_join_all(lanes).await?.concat().into();
            Ok(())
        }
        .boxed()
    }

    fn beat(&self, every: Duration) -> BoxFuture<'_, Result<Beating, Failed>> {
        async move {
            let mut beating = Beating::default();
            let (leases, stop) = (Arc::clone(&self.leases), beating.stop());
            let turns = Turns::new(leases.len(), every, Arc::clone(&self.next));
            let asked = stream::unfold((), move |()| {
                let (turns, stop, leases) = (turns.clone(), stop.clone(), Arc::clone(&leases));
                async move { turns.next(&stop).await.map(|turn| (LeaseKeepAlive { id: leases[turn % leases.len()] }, ())) }
            });
            let mut client = self.client.clone();
            beating.spawn(async move {
                let mut answers = client.stream(KEEP_ALIVE, asked).await?;
                let mut beats = 0;
                while let Some(kept) = answers.message().await? {
                    let LeaseKept { seconds } = kept;
                    if seconds == 0 {
                        return Err("a lease that beats is gone".into());
                    }
                    beats += 1;
                }
                Ok(beats)
            });
            Ok(beating)
        }
        .boxed()
    }

    fn watch<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Seen, Failed>> {
        async move {
            let key = prefix(service).into_bytes();
            // The slash at the end of the prefix, and what follows it.
            let end = [&key[..key.len() - 1], b"0"].concat();
            let create = Watch { kind: Some(WatchKind::Create(WatchCreate { key: key.clone(), end })) };
            let mut client = self.client.clone();
            // The server ends a watch whose requests end.
            let mut events =
                client.stream::<_, Watched>(WATCH, stream::iter([create]).chain(stream::pending())).await?;
            events.message().await?.filter(|first| first.created).ok_or("etcd does not watch")?;
            let (sender, names) = mpsc::unbounded_channel();
            let watcher = tokio::spawn(async move {
                while let Ok(Some(told)) = events.message().await {
                    let now = Instant::now();
                    for pair in told.events.into_iter().filter_map(|event| event.pair) {
                        let name = String::from_utf8_lossy(&pair.key[key.len()..]).into_owned();
                        if sender.send((name, now)).is_err() {
                            return;
                        }
                    }
                }
            });
            Ok(Seen { names, _watcher: AbortOnDropHandle::new(watcher) })
        }
        .boxed()
    }
}
