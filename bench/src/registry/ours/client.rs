//! Its clients.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mainstay::contracts::registry::{Beat, Deregister, InstanceId, Register};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::Ours;
use crate::Failed;
use crate::registry::beating::{self, Beating};
use crate::registry::http::Connection;
use crate::registry::lines::{Head, Lines};
use crate::registry::load;
use crate::registry::side::{Live, Seen, Side, Writer};

struct Client {
    connection: Connection,
    registered: Vec<(String, InstanceId)>,
}

impl Side for Ours {
    fn title(&self) -> &'static str {
        "mainstay-registry"
    }

    fn process(&self) -> Result<u32, Failed> {
        self.child.id().ok_or_else(|| "the registry has ended".into())
    }

    fn writers(&self, count: u16) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Failed>> {
        async move {
            let connections = Connection::several(self.address, count).await?;
            let client = |connection| Box::new(Client { connection, registered: Vec::new() }) as Box<dyn Writer>;
            Ok(connections.into_iter().map(client).collect())
        }
        .boxed()
    }
}

impl Writer for Client {
    fn register<'a>(&'a mut self, instance: &'a Register) -> BoxFuture<'a, Result<(), Failed>> {
        async move {
            self.connection.call(instance).await?;
            self.registered.push((instance.service.clone(), instance.id.clone()));
            Ok(())
        }
        .boxed()
    }

    fn remove(&mut self) -> BoxFuture<'_, Result<(), Failed>> {
        async move {
            for (service, id) in self.registered.drain(..) {
                self.connection.call(&Deregister { service, id, incarnation: None }).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

impl Live for Ours {
    fn load<'a>(&'a mut self, instances: &'a [Register]) -> BoxFuture<'a, Result<(), Failed>> {
        async move {
            load::register(self.address, instances).await?;
            let beat = |one: &Register| Beat { service: one.service.clone(), id: one.id.clone(), incarnation: None };
            self.beats = instances.iter().map(beat).collect();
            Ok(())
        }
        .boxed()
    }

    fn beat(&self, every: Duration) -> BoxFuture<'_, Result<Beating, Failed>> {
        beating::start(self.address, Arc::clone(&self.beats), every, &self.next).boxed()
    }

    fn watch<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Seen, Failed>> {
        async move {
            let mut lines = Lines::open(self.address, "GET", &load::watching(service)).await?;
            lines.next().await?;
            let (sender, names) = mpsc::unbounded_channel();
            let watcher = tokio::spawn(async move {
                while let Ok(Some(line)) = lines.next().await {
                    let now = Instant::now();
                    // What is not understood is never seen, which fails whoever waits for it.
                    let Ok(Head { kind: "changed", id: Some(id), .. }) = Head::of(line) else { continue };
                    if sender.send((id.to_owned(), now)).is_err() {
                        break;
                    }
                }
            });
            Ok(Seen { names, _watcher: AbortOnDropHandle::new(watcher) })
        }
        .boxed()
    }
}
