//! What the sides have in common.

use std::time::Duration;

use futures_util::future::BoxFuture;
use mainstay::contracts::registry::Register;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::beating::Beating;
use crate::Failed;

/// Something that knows who is there, and keeps it on the disk.
pub(crate) trait Side {
    fn title(&self) -> &'static str;

    fn process(&self) -> Result<u32, Failed>;

    /// So many clients.
    fn writers(&self, count: u16) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Failed>>;
}

/// One client that registers.
pub(crate) trait Writer: Send {
    /// Resolves when the instance is on the disk.
    fn register<'a>(&'a mut self, instance: &'a Register) -> BoxFuture<'a, Result<(), Failed>>;

    /// Takes off the list whom it has registered.
    fn remove(&mut self) -> BoxFuture<'_, Result<(), Failed>>;
}

/// A side whose instances beat, and are watched.
pub(crate) trait Live: Side {
    /// Registers whoever is to beat.
    fn load<'a>(&'a mut self, instances: &'a [Register]) -> BoxFuture<'a, Result<(), Failed>>;

    /// Goes on with the beats of those, each once in a while, until it is ended.
    fn beat(&self, every: Duration) -> BoxFuture<'_, Result<Beating, Failed>>;

    /// Names of a service's instances as they come, each with the moment at which a watcher had it.
    fn watch<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Seen, Failed>>;
}

/// What a watcher sees; it ends with whoever holds this.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) names: UnboundedReceiver<(String, Instant)>,
    pub(crate) _watcher: AbortOnDropHandle<()>,
}

/// An instance of a service, as the sides are all told of it. There is none of number 0.
pub(crate) fn instance(service: &str, number: u32) -> Result<Register, Failed> {
    Ok(Register {
        service: service.to_owned(),
        id: format!("i-{number}").parse()?,
        address: format!("http://127.0.0.1:{}", 1024 + number % 60_000).parse()?,
        number: Some(number + 1),
        zone: Some("a".to_owned()),
        weight: 1,
        version: Some("1.4.2".to_owned()),
        tags: Vec::new(),
        metadata: Default::default(),
        incarnation: Some(1_700_000_000_000_000),
        lease: None,
    })
}
