//! An authority that certifies whom a test wants, and what both sides make of it.

use std::sync::Arc;

use graviola::hashing::Sha256;
use graviola::signing::ecdsa::{P256, SigningKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, IsCa, PKCS_ECDSA_P256_SHA256, PublicKeyData,
    SerialNumber, SignatureAlgorithm,
};
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig};

/// A chain of one, and its key.
pub(crate) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

pub(crate) struct Authority(CertifiedIssuer<'static, Key>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Another one of the same name would be taken for this one, with a signature that is wrong.
        params.distinguished_name.push(DnType::CommonName, format!("authority {}", fastrand::u64(..)));
        Self(CertifiedIssuer::self_signed(params, Key::new()).unwrap())
    }

    /// Certifies that its owner has these names or IP addresses.
    pub(crate) fn certify(&self, names: &[&str]) -> Identity {
        self.sign(&params(names))
    }

    /// As [`certify`](Self::certify), a long time ago.
    pub(crate) fn certify_once(&self, names: &[&str]) -> Identity {
        let mut params = params(names);
        params.not_after = rcgen::date_time_ymd(2000, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = Key::new();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (vec![certificate.der().clone()], key.private())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    fn trusting(&self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        builder.with_root_certificates(self.roots())
    }

    /// A client that trusts this authority.
    pub(crate) fn client(&self) -> ClientConfig {
        self.trusting().with_no_client_auth()
    }

    /// A client that trusts this authority, and shows who it is.
    pub(crate) fn client_as(&self, (chain, key): Identity) -> ClientConfig {
        self.trusting().with_client_auth_cert(chain, key).unwrap()
    }

    /// A server that serves everybody.
    pub(crate) fn server(&self, (chain, key): Identity) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        builder.with_no_client_auth().with_single_cert(chain, key).unwrap()
    }

    /// A server that serves only whom this authority certifies.
    pub(crate) fn strict_server(&self, (chain, key): Identity) -> ServerConfig {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider());
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        builder.with_client_cert_verifier(verifier.build().unwrap()).with_single_cert(chain, key).unwrap()
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.serial_number = Some(SerialNumber::from(fastrand::u64(1..)));
    params
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls_graviola::default_provider())
}

struct Key {
    key: SigningKey<P256>,
    public: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let key = SigningKey::<P256>::generate().unwrap();
        let mut buffer = [0; 256];
        let info = key.to_spki_der(&mut buffer).unwrap();
        // What is encoded last: an uncompressed point.
        let public = info[info.len() - 65..].to_vec();
        Self { key, public }
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        let mut buffer = [0; 512];
        PrivatePkcs8KeyDer::from(self.key.to_pkcs8_der(&mut buffer).unwrap().to_vec()).into()
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut buffer = [0; 128];
        Ok(self.key.sign_asn1::<Sha256>(&[message], &mut buffer).unwrap().to_vec())
    }
}
