//! Encrypted connections, and clients who show a certificate.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
#[cfg(feature = "etcd")]
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// What connections are encrypted with: TLS 1.2 or 1.3, over rustls and ring.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// The certificate chain and the key of this registry, and the authorities of its clients' certificates, if clients
    /// have to show one: each a file in PEM.
    ///
    /// # Errors
    /// When a file cannot be read or says something else, or the key is not that of the certificate.
    pub fn load(chain: &Path, key: &Path, clients: Option<&Path>) -> Result<Self, BadTls> {
        let certificates = certificates(chain)?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, "has no private key", error))?;
        let provider = Arc::new(default_provider());
        let versions = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let config = versions.map_err(|error| bad(chain, "cannot be used", error))?;
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for root in self::certificates(path)? {
                    roots.add(root).map_err(|error| bad(path, "is no authority's", error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                config.with_client_cert_verifier(verifier.map_err(|error| bad(path, "cannot be used", error))?)
            }
        };
        let mut config =
            config.with_single_cert(certificates, private).map_err(|error| bad(key, "does not fit", error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

/// How a replica reaches others over TLS.
#[cfg(feature = "etcd")]
#[derive(Debug, Clone)]
pub struct Client(pub(crate) Arc<ClientConfig>);

#[cfg(feature = "etcd")]
impl Client {
    /// Trusts the authorities of `ca`, and shows a certificate if one is named with its key: each a file in PEM.
    ///
    /// # Errors
    /// When a file cannot be read or says something else, or the key is not that of the certificate.
    pub fn load(ca: &Path, identity: Option<(&Path, &Path)>) -> Result<Self, BadTls> {
        let mut roots = RootCertStore::empty();
        for root in certificates(ca)? {
            roots.add(root).map_err(|error| bad(ca, "is no authority's", error))?;
        }
        let provider = Arc::new(default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = versions.map_err(|error| bad(ca, "cannot be used", error))?.with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let private =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, "has no private key", error))?;
                let config = config.with_client_auth_cert(certificates(chain)?, private);
                config.map_err(|error| bad(key, "does not fit", error))?
            }
        };
        Ok(Self(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadTls> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| bad(path, "has no certificate", error))?;
    if certificates.is_empty() {
        return Err(BadTls { path: path.to_owned(), how: "has no certificate", source: None });
    }
    Ok(certificates)
}

fn bad(path: &Path, how: &'static str, error: impl Error + Send + Sync + 'static) -> BadTls {
    BadTls { path: path.to_owned(), how, source: Some(Box::new(error)) }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// A file that TLS cannot be made of.
#[derive(Debug)]
pub struct BadTls {
    path: PathBuf,
    how: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for BadTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.how)
    }
}

impl Error for BadTls {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
