//! Providers, from their channels to their end.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;

use axum::Router;
use axum::routing::get;
use mainstay::contracts::quotes::Providers;
use mainstay::serve::{self, Limits};
use mainstay::{Address, Registration};
use mainstay_messaging::Messages;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Provider, attend};
use crate::elsewhere::{elsewhere, health};

/// What providers that share a process must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the registry is. It may be away: the providers register when it comes.
    pub registry: Address,
    /// Where they hear requests, and publish quotes. Whoever keeps the messages may be away too.
    pub messages: Messages,
    /// Who answers. No two have the same number.
    pub providers: Vec<Provider>,
}

/// Has the providers answer requests, each registered under its own address on `listener`, until `shutdown` resolves.
///
/// The end is clean: the providers leave the registry first. What they had in mind is delivered again, to whoever has
/// their numbers next. Dropping the future ends them at once instead.
///
/// # Errors
/// When the listener has no address to be found at, or two providers have the same number.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let Config { registry, messages, providers } = config;
    let mut numbers = BTreeSet::new();
    if let Some(twice) = providers.iter().find(|provider| !numbers.insert(provider.number)) {
        let why = format!("two providers have number {}", twice.number);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let address = Address::from(listener.local_addr()?);
    let router = providers
        .iter()
        .fold(Router::new(), |router, provider| router.route(&format!("{}/health", provider.path()), get(health)));
    let (stop, mut attending) = (CancellationToken::new(), JoinSet::new());
    for provider in providers {
        let registration = registration(&provider, &address)?.registry(registry.clone());
        attending.spawn(attend::attend(provider, messages.clone(), registration, stop.clone()));
    }
    let left = async {
        shutdown.await;
        stop.cancel();
        // Some may be cancelled already, as the runtime ends.
        while attending.join_next().await.is_some() {}
    };
    serve::run(listener, elsewhere(router), Limits::default(), left).await;
    Ok(())
}

fn registration(provider: &Provider, base: &Address) -> io::Result<Registration> {
    let id = provider.name().parse().map_err(io::Error::other)?;
    let address = base.at(&provider.path()).map_err(io::Error::other)?;
    Ok(Registration::new::<Providers>(id, address).number(provider.number))
}
