//! Where a program finds the others: what its command line says of registry and messages.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use mainstay::Address;
use mainstay_messaging::Messages;
use tokio::time::sleep;
use tracing::info;

/// How long until what was away is tried again.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Reach {
    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = "http://127.0.0.1:8500")]
    pub(crate) registry: Address,

    /// Where messages are kept: hub://HOST:PORT for the hub in that registry, nats://HOST:PORT, or embedded:DIR for
    /// this process alone [default: the hub in the registry]
    #[arg(long, env = "MAINSTAY_MESSAGES", value_name = "URL")]
    pub(crate) messages: Option<String>,
}

impl Reach {
    /// The messages; `None` when the end came before whatever keeps them.
    pub(crate) async fn messages(&self, ended: impl Future<Output = ()>) -> io::Result<Option<Messages>> {
        let url = self.url();
        opened("messages", async || Messages::open(&url).await, mainstay_messaging::Error::is_unavailable, ended).await
    }

    fn url(&self) -> String {
        self.messages.clone().unwrap_or_else(|| format!("hub://{}", self.registry.authority()))
    }
}

/// Opens what may be away now: again and again, until it is there or the end comes.
pub(crate) async fn opened<T, E: Error + Send + Sync + 'static>(
    what: &str,
    open: impl AsyncFn() -> Result<T, E>,
    is_away: fn(&E) -> bool,
    ended: impl Future<Output = ()>,
) -> io::Result<Option<T>> {
    let mut ended = pin!(ended);
    let mut was_away = false;
    loop {
        let opening = async {
            if was_away {
                sleep(AGAIN).await;
            }
            open().await
        };
        tokio::select! {
            biased;
            () = &mut ended => return Ok(None),
            opened = opening => match opened {
                Ok(opened) => return Ok(Some(opened)),
                Err(error) if !is_away(&error) => return Err(io::Error::other(error)),
                Err(error) if !was_away => {
                    info!("{what} cannot be reached: {error}; trying on");
                    was_away = true;
                }
                Err(_) => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_with_the_hub_unless_it_is_said() {
        let reach = |registry: &str, messages: Option<&str>| {
            Reach { registry: registry.parse().unwrap(), messages: messages.map(str::to_owned) }.url()
        };
        assert_eq!(reach("http://127.0.0.1:8500", None), "hub://127.0.0.1:8500");
        assert_eq!(reach("http://10.0.0.7:8600", None), "hub://10.0.0.7:8600");
        assert_eq!(reach("http://127.0.0.1:8500", Some("nats://127.0.0.1:4222")), "nats://127.0.0.1:4222");
    }
}
