//! What connections are made over.

use hyper_util::rt::TokioIo;
use mainstay_contracts::Address;
use tokio::net::TcpStream;

use super::Unmade;
use super::socket::Socket;
#[cfg(feature = "tls")]
use super::tls::{Secured, Tls};

/// How a client reaches instances: over the machine's own network, unless told otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    /// Speaks HTTP/1.1 without TLS, whatever address and policy say.
    #[cfg(feature = "testing")]
    pub(crate) simulated: Option<crate::testing::Network>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
    /// As the policy says.
    pub(crate) http2: bool,
}

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    #[cfg(feature = "http2")]
    Http2,
}

/// How one instance is reached.
#[derive(Debug)]
pub(super) enum Way {
    Tcp,
    #[cfg(feature = "tls")]
    Tls(Box<Secured>),
    #[cfg(feature = "testing")]
    Simulated(crate::testing::Network),
}

impl Network {
    /// Is everything here that an instance at this address needs?
    pub(crate) fn reaches(&self, address: &Address) -> bool {
        self.way(address).is_some()
    }

    /// How an instance at this address is reached, if it is.
    pub(super) fn way(&self, address: &Address) -> Option<Way> {
        #[cfg(feature = "testing")]
        if let Some(network) = &self.simulated {
            return Some(Way::Simulated(network.clone()));
        }
        if address.is_https() { self.over_tls(address) } else { Some(Way::Tcp) }
    }

    /// Is all that goes to an instance to go over one connection?
    #[cfg(feature = "http2")]
    pub(super) fn is_multiplexed(&self) -> bool {
        #[cfg(feature = "testing")]
        if self.simulated.is_some() {
            return false;
        }
        self.http2
    }

    #[cfg(feature = "tls")]
    fn over_tls(&self, address: &Address) -> Option<Way> {
        let tls = self.tls.clone()?;
        Some(Way::Tls(Box::new(Secured::new(tls, address.host()))))
    }

    #[cfg(not(feature = "tls"))]
    fn over_tls(&self, _: &Address) -> Option<Way> {
        None
    }
}

impl Way {
    /// A socket of the instance: by `host:port`, and in a simulated network by its path too.
    pub(super) async fn connect(&self, authority: &str, path: &str, protocol: Protocol) -> Result<Socket, Unmade> {
        match self {
            Self::Tcp => {
                let _ = (path, protocol);
                Ok(Socket::Tcp(TokioIo::new(tcp(authority).await?)))
            }
            #[cfg(feature = "tls")]
            Self::Tls(secured) => {
                let socket = secured.handshake(tcp(authority).await?, protocol).await?;
                Ok(Socket::Tls(Box::new(TokioIo::new(socket))))
            }
            #[cfg(feature = "testing")]
            Self::Simulated(network) => {
                let socket = network.connect(authority, path).await.map_err(Unmade::of_connect)?;
                Ok(Socket::Simulated(TokioIo::new(socket)))
            }
        }
    }
}

async fn tcp(authority: &str) -> Result<TcpStream, Unmade> {
    let socket = TcpStream::connect(authority).await.map_err(Unmade::of_connect)?;
    socket.set_nodelay(true).map_err(Unmade::of_connect)?;
    Ok(socket)
}
