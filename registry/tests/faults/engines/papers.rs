//! Who is who: one certificate for all on this machine, and the authority that says so.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, RootCertStore};

/// Files, in a directory of their own.
pub(crate) struct Papers(TempDir);

impl Papers {
    pub(crate) fn new() -> Self {
        let papers = Self(TempDir::new().unwrap());
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let chain = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        fs::write(papers.authority(), authority.pem()).unwrap();
        fs::write(papers.chain(), chain.pem()).unwrap();
        fs::write(papers.key(), key.serialize_pem()).unwrap();
        papers
    }

    pub(crate) fn authority(&self) -> String {
        self.path("authority.pem")
    }

    pub(crate) fn chain(&self) -> String {
        self.path("chain.pem")
    }

    pub(crate) fn key(&self) -> String {
        self.path("key.pem")
    }

    /// Shows the certificate, and trusts the authority.
    pub(crate) fn connector(&self) -> TlsConnector {
        let key = PrivateKeyDer::from_pem_file(self.key()).unwrap();
        let config = self.trusting().with_client_auth_cert(certificates(self.chain()).collect(), key).unwrap();
        Arc::new(config).into()
    }

    /// Trusts the authority, and has nothing to show.
    pub(crate) fn stranger(&self) -> TlsConnector {
        Arc::new(self.trusting().with_no_client_auth()).into()
    }

    fn trusting(&self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(self.authority()));
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

fn certificates(path: String) -> impl Iterator<Item = CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap)
}
