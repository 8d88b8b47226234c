//! What connections are made over.

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Broken;
use super::socket::Socket;

/// The machine's own network, or a simulated one.
#[derive(Debug, Clone, Default)]
pub(crate) enum Network {
    #[default]
    Tcp,
    #[cfg(feature = "testing")]
    Simulated(crate::testing::Network),
}

impl Network {
    /// A socket of this instance: by `host:port`, and in a simulated network by its path too.
    pub(super) async fn connect(&self, authority: &str, path: &str) -> Result<Socket, Broken> {
        match self {
            Self::Tcp => {
                let _ = path;
                let socket = TcpStream::connect(authority).await.map_err(Broken::of_connect)?;
                socket.set_nodelay(true).map_err(Broken::Refused)?;
                Ok(Socket::Tcp(TokioIo::new(socket)))
            }
            #[cfg(feature = "testing")]
            Self::Simulated(network) => {
                let socket = network.connect(authority, path).await.map_err(Broken::Refused)?;
                Ok(Socket::Simulated(TokioIo::new(socket)))
            }
        }
    }
}
