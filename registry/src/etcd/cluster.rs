//! Where an etcd cluster is.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// Under which keys a registry is kept, if nothing else is said.
const PREFIX: &str = "mainstay/registry";

/// The members of an etcd cluster, and the prefix of the keys that are a registry's.
///
/// Written `etcd://HOST:PORT[,HOST:PORT…][/PREFIX]`, or `etcds://…` for connections over TLS. Registries with one prefix
/// are replicas of one another.
#[derive(Debug, Clone)]
pub struct Cluster {
    members: Vec<String>,
    prefix: String,
    encrypted: bool,
    tls: Option<ClientTlsConfig>,
}

impl Cluster {
    /// Trusts the authorities of `ca`, and shows a certificate if one is named with its key: each a file in PEM. Needed
    /// for `etcds://`, and refused for `etcd://`.
    ///
    /// # Errors
    /// When a file cannot be read, or there is nothing to encrypt.
    pub fn with_tls(mut self, ca: &Path, identity: Option<(&Path, &Path)>) -> Result<Self, BadEtcd> {
        if !self.encrypted {
            return Err(BadEtcd("a connection to etcd:// is not encrypted: say etcds://".to_owned()));
        }
        let read = |path: &Path| fs::read(path).map_err(|error| BadEtcd(format!("{}: {error}", path.display())));
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?));
        if let Some((chain, key)) = identity {
            tls = tls.identity(Identity::from_pem(read(chain)?, read(key)?));
        }
        self.tls = Some(tls);
        Ok(self)
    }

    /// # Errors
    /// When connections are to be encrypted, and nobody has said whom to trust.
    pub(crate) fn check(&self) -> Result<(), BadEtcd> {
        if self.encrypted && self.tls.is_none() {
            return Err(BadEtcd("etcds:// needs to be told the authority of etcd's certificate".to_owned()));
        }
        Ok(())
    }

    /// Each with its scheme.
    pub(super) fn members(&self) -> impl Iterator<Item = String> {
        let scheme = if self.encrypted { "https" } else { "http" };
        self.members.iter().map(move |member| format!("{scheme}://{member}"))
    }

    pub(super) fn tls(&self) -> Option<&ClientTlsConfig> {
        self.tls.as_ref()
    }

    /// What all keys begin with, a slash at its end.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for Cluster {
    type Err = BadEtcd;

    fn from_str(text: &str) -> Result<Self, BadEtcd> {
        let shape = || BadEtcd(format!("{text:?} is not etcd://HOST:PORT[,HOST:PORT…][/PREFIX]"));
        let (scheme, rest) = text.split_once("://").ok_or_else(shape)?;
        let encrypted = match scheme {
            "etcd" => false,
            "etcds" => true,
            _ => return Err(shape()),
        };
        let (members, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let members: Vec<String> = members.split(',').map(str::to_owned).collect();
        let has_port = |member: &String| {
            let parsed = member.parse::<http::uri::Authority>();
            parsed.is_ok_and(|authority| authority.port().is_some() && !authority.host().is_empty())
        };
        if !members.iter().all(|member| has_port(member) && !member.contains('@')) {
            return Err(shape());
        }
        let prefix = prefix.trim_matches('/');
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        if !prefix.chars().all(fits) {
            return Err(BadEtcd(format!("the prefix {prefix:?} has others than a-z A-Z 0-9 - _ . /")));
        }
        let prefix = format!("/{}/", if prefix.is_empty() { PREFIX } else { prefix });
        Ok(Self { members, prefix, encrypted, tls: None })
    }
}

/// What is said of an etcd cluster cannot be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEtcd(pub(super) String);

impl fmt::Display for BadEtcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadEtcd {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_a_prefix_are_read() {
        let cluster: Cluster = "etcd://a:2379,[::1]:2380/shop/eu/".parse().unwrap();
        assert_eq!(cluster.members().collect::<Vec<_>>(), ["http://a:2379", "http://[::1]:2380"]);
        assert_eq!(cluster.prefix(), "/shop/eu/");
        let cluster: Cluster = "etcds://a:1".parse().unwrap();
        assert_eq!(
            (cluster.members().collect::<Vec<_>>(), cluster.prefix()),
            (vec!["https://a:1".to_owned()], "/mainstay/registry/")
        );
        assert!(cluster.check().is_err(), "whom to trust is not said");
    }

    #[test]
    fn what_is_no_cluster_is_refused() {
        for text in
            ["", "etcd:", "etcd://", "http://a:1", "etcd://a", "etcd://a:1,", "etcd://u:p@a:1", "etcd://a:1/x y"]
        {
            assert!(text.parse::<Cluster>().is_err(), "{text}");
        }
    }
}
