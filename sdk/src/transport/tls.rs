//! TLS, over rustls. Cryptography, roots and client certificates are the application's: all of them come with its
//! configuration, so that nothing here decides whom to trust.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Unmade;
use super::network::Protocol;

/// What is agreed upon in a handshake, as ALPN names it.
const HTTP1: &[u8] = b"http/1.1";
#[cfg(feature = "http2")]
const HTTP2: &[u8] = b"h2";

/// The application's configuration, which all instances of a client share, and with it what sessions are resumed.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    http1: Arc<ClientConfig>,
    #[cfg(feature = "http2")]
    http2: Arc<ClientConfig>,
}

impl Tls {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        Self {
            http1: speaking(config, HTTP1),
            #[cfg(feature = "http2")]
            http2: speaking(config, HTTP2),
        }
    }

    fn speaking(&self, protocol: Protocol) -> &Arc<ClientConfig> {
        match protocol {
            Protocol::Http1 => &self.http1,
            #[cfg(feature = "http2")]
            Protocol::Http2 => &self.http2,
        }
    }
}

fn speaking(config: &ClientConfig, protocol: &[u8]) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

/// TLS with one instance.
#[derive(Debug)]
pub(super) struct Secured {
    tls: Tls,
    /// Whom its certificate must name. `None` if no certificate can.
    name: Option<ServerName<'static>>,
}

impl Secured {
    pub(super) fn new(tls: Tls, host: &str) -> Self {
        Self { tls, name: ServerName::try_from(host.to_owned()).ok() }
    }

    pub(super) async fn handshake(
        &self,
        socket: TcpStream,
        protocol: Protocol,
    ) -> Result<TlsStream<TcpStream>, Unmade> {
        let Some(name) = self.name.clone() else {
            let reason = "the host is no name that a certificate can have";
            return Err(Unmade::of_handshake(io::Error::new(io::ErrorKind::InvalidInput, reason)));
        };
        let connector = TlsConnector::from(Arc::clone(self.tls.speaking(protocol)));
        let socket = connector.connect(name, socket).await.map_err(Unmade::of_handshake)?;
        // Who says nothing speaks HTTP/1.1.
        #[cfg(feature = "http2")]
        if protocol == Protocol::Http2 && socket.get_ref().1.alpn_protocol() != Some(HTTP2) {
            return Err(Unmade::of_handshake(io::Error::other("no HTTP/2 was agreed upon")));
        }
        Ok(socket)
    }
}
