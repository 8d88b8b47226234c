//! What can be said of a registry that is one of several.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use mainstay_contracts::Address;
use mainstay_registry::Config;

use super::Serve;

/// An etcd cluster, by its address.
#[cfg(feature = "etcd")]
pub(super) type Engine = mainstay_registry::Cluster;
/// There is none that could be used.
#[cfg(not(feature = "etcd"))]
pub(super) type Engine = std::convert::Infallible;

#[cfg(feature = "etcd")]
pub(super) fn parse(text: &str) -> Result<Engine, String> {
    text.parse::<Engine>().map_err(|error| error.to_string())
}

#[cfg(not(feature = "etcd"))]
pub(super) fn parse(_: &str) -> Result<Engine, String> {
    Err("this program was built without etcd: build it with --features etcd".to_owned())
}

/// How replicas reach one another, and etcd.
#[derive(Debug, clap::Args)]
pub(super) struct Replica {
    /// Where the other replicas reach this one; where it listens, if nothing is said
    #[arg(long, env = "MAINSTAY_REGISTRY_ADVERTISE", value_name = "URL", requires = "engine")]
    advertise: Option<Address>,

    /// The authority of the other replicas' certificates, in PEM; to them this one shows its own
    #[arg(long, value_name = "FILE", requires = "engine", requires = "tls_cert")]
    replica_ca: Option<PathBuf>,

    /// The authority of etcd's certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "engine")]
    etcd_ca: Option<PathBuf>,

    /// The certificate that etcd asks for, in PEM
    #[arg(long, value_name = "FILE", requires = "etcd_ca", requires = "etcd_key")]
    etcd_cert: Option<PathBuf>,

    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "etcd_cert")]
    etcd_key: Option<PathBuf>,
}

impl Replica {
    #[cfg(not(feature = "etcd"))]
    pub(super) fn of(&self, engine: &Engine, _: Config, _: &Serve, _: SocketAddr) -> Result<Config, Box<dyn Error>> {
        match *engine {}
    }

    /// A registry that is one of several, and listens at an address.
    #[cfg(feature = "etcd")]
    pub(super) fn of(
        &self,
        engine: &Engine,
        config: Config,
        serve: &Serve,
        listening: SocketAddr,
    ) -> Result<Config, Box<dyn Error>> {
        use mainstay_registry::{Replication, TlsClient};

        fn pair<'a>(
            a: &'a Option<PathBuf>,
            b: &'a Option<PathBuf>,
        ) -> Option<(&'a std::path::Path, &'a std::path::Path)> {
            a.as_deref().zip(b.as_deref())
        }
        let cluster = match &self.etcd_ca {
            Some(ca) => engine.clone().with_tls(ca, pair(&self.etcd_cert, &self.etcd_key))?,
            None => engine.clone(),
        };
        let address = match &self.advertise {
            Some(address) => address.clone(),
            None if listening.ip().is_unspecified() => {
                return Err(format!("nobody reaches {listening}: say where the others do with --advertise").into());
            }
            None => format!("{}://{listening}", serve.scheme()).parse()?,
        };
        let tls = match &self.replica_ca {
            Some(ca) => Some(TlsClient::load(ca, pair(&serve.tls_cert, &serve.tls_key))?),
            None if address.is_https() => {
                return Err("replicas that are reached over TLS need --replica-ca, to reach one another".into());
            }
            None => None,
        };
        Ok(Config {
            data: None,
            replication: Some(Replication { tls, ..Replication::new(cluster, address) }),
            ..config
        })
    }
}
