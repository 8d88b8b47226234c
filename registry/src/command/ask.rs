//! One question to a registry, and its answer.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use mainstay_contracts::wire::{self, Encoded};
use mainstay_contracts::{Address, Call, Refusal};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const MOST: usize = 64 * 1024 * 1024;

/// A registry, as a command sees it.
#[derive(Debug)]
pub(super) struct Registry {
    address: Address,
    token: Option<String>,
    tls: Option<Arc<ClientConfig>>,
}

/// Why a command could not be done, in one line with a hint.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nobody answers.
    Unreachable(Address, Box<dyn Error + Send + Sync>),
    /// The registry says no.
    Refused(StatusCode, String),
    /// What the command line names is not what it should be.
    Unfit(String),
}

impl Failed {
    /// The exit code: 1 when the registry says no, 2 when the command line is wrong, 3 when there is no registry.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Unreachable(..) => 3,
            Self::Refused(..) => 1,
            Self::Unfit(_) => 2,
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(address, why) => {
                write!(f, "no registry at {address}: {why}; start it, or say where it is with --registry")
            }
            Self::Refused(status, reason) => write!(f, "{reason} ({})", status.as_u16()),
            Self::Unfit(what) => f.write_str(what),
        }
    }
}

impl Registry {
    pub(super) fn new(address: Address, token: Option<String>, ca: Option<&Path>) -> Result<Self, Failed> {
        let tls = match (address.is_https(), ca) {
            (false, _) => None,
            (true, None) => {
                return Err(Failed::Unfit(format!("{address} needs --ca, the authority of its certificate")));
            }
            (true, Some(ca)) => {
                Some(Arc::new(trusting(ca).map_err(|why| Failed::Unfit(format!("{}: {why}", ca.display())))?))
            }
        };
        Ok(Self { address, token, tls })
    }

    /// Asks for an answer that ends, within `limit`.
    pub(super) async fn ask<C: Call>(&self, call: &C, limit: Duration) -> Result<C::Response, Failed> {
        let encoded = wire::encode(call).map_err(|error| self.lost(error))?;
        let answer = async {
            let body = self.open(C::METHOD, encoded).await?;
            let whole = Limited::new(body, MOST).collect().await;
            let whole = whole.map_err(|error| Failed::Unreachable(self.address.clone(), error))?;
            serde_json::from_slice(&whole.to_bytes()).map_err(|error| self.lost(error))
        };
        timeout(limit, answer).await.map_err(|_| self.lost(format!("it does not answer within {limit:?}")))?
    }

    /// Asks for an answer that goes on.
    pub(super) async fn follow(&self, target: String) -> Result<Incoming, Failed> {
        self.open(Method::GET, Encoded { target, body: None }).await
    }

    async fn open(&self, method: Method, encoded: Encoded) -> Result<Incoming, Failed> {
        let connect = timeout(CONNECT, TcpStream::connect(self.address.authority()));
        let stream = connect.await.map_err(|_| self.lost(format!("no connection within {CONNECT:?}")))?;
        let stream = stream.map_err(|error| self.lost(error))?;
        let mut sender = match &self.tls {
            None => self.handshake(stream).await?,
            Some(config) => {
                let name = ServerName::try_from(self.address.host().to_owned()).map_err(|error| self.lost(error))?;
                let encrypted = TlsConnector::from(Arc::clone(config)).connect(name, stream);
                let encrypted = timeout(CONNECT, encrypted).await;
                let encrypted = encrypted.map_err(|_| self.lost(format!("no TLS within {CONNECT:?}")))?;
                self.handshake(encrypted.map_err(|error| self.lost(error))?).await?
            }
        };
        let mut request = Request::builder().method(method).uri(encoded.target);
        request = request.header(header::HOST, self.address.authority());
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if encoded.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::from(encoded.body.unwrap_or_default()));
        let request = request.body(body).map_err(|error| self.lost(error))?;
        let answer = sender.send_request(request).await.map_err(|error| self.lost(error))?;
        let (status, body) = (answer.status(), answer.into_body());
        if status.is_success() {
            return Ok(body);
        }
        let whole = Limited::new(body, MOST).collect().await;
        let whole = whole.map_err(|error| Failed::Unreachable(self.address.clone(), error))?.to_bytes();
        let refusal = serde_json::from_slice::<Refusal>(&whole).map(|refusal| refusal.reason);
        Err(Failed::Refused(status, refusal.unwrap_or_else(|_| "it is no registry, or not of this version".to_owned())))
    }

    async fn handshake(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<SendRequest<Full<Bytes>>, Failed> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| self.lost(error))?;
        // It ends with the answer's body.
        tokio::spawn(connection);
        Ok(sender)
    }

    pub(super) fn lost(&self, why: impl Into<Box<dyn Error + Send + Sync>>) -> Failed {
        Failed::Unreachable(self.address.clone(), why.into())
    }
}

/// A client that trusts the authorities of a file.
fn trusting(ca: &Path) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(ca)? {
        roots.add(root?)?;
    }
    let config =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
