//! Where an instance is reached.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;
use serde::{Deserialize, Serialize, Serializer};

/// The base address of an instance: `http://host:port`, or with a path that stands before the route of every call:
/// `http://127.0.0.1:9091/bidders/bidder1`. Over TLS it is `https://host:port`.
///
/// `host:port` is accepted too, and means `http`. IPv6 hosts stand in brackets: `http://[::1]:8001`.
///
/// What the registry tells may have port 0: an instance that is there, and is not reached by a port. No text is parsed as
/// such an address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(Arc<str>);

const HTTP: &str = "http";
const HTTPS: &str = "https";
const COLON: &str = "://";

impl Address {
    /// Parses an address that is not `https`, for programs that have no TLS.
    ///
    /// # Errors
    /// When `text` is no address, or one over TLS.
    pub fn plain(text: &str) -> Result<Self, BadAddress> {
        let address: Self = text.parse()?;
        if address.is_https() {
            return Err(BadAddress { text: address.into(), why: "has the scheme https, and there is no TLS here" });
        }
        Ok(address)
    }

    /// The address of what has no port, on a host: `http://host:0`.
    ///
    /// # Errors
    /// When `host` is none.
    pub fn portless(host: &str) -> Result<Self, BadAddress> {
        Self::read(&format!("{host}:0"), true)
    }

    /// `http`, or `https`: over TLS.
    pub fn scheme(&self) -> &str {
        if self.is_https() { HTTPS } else { HTTP }
    }

    /// Is the instance reached over TLS?
    pub fn is_https(&self) -> bool {
        self.0.starts_with(HTTPS)
    }

    /// `host:port`, as a socket and a `Host` header want it.
    pub fn authority(&self) -> &str {
        self.parts().0
    }

    /// The host, as a certificate names it: a name or an IP address, without brackets.
    pub fn host(&self) -> &str {
        let host = self.authority().rsplit_once(':').map_or("", |(host, _)| host);
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// What stands before the route of every call: starts with `/` and does not end with it, or is empty.
    pub fn path(&self) -> &str {
        self.parts().1
    }

    /// `http://host:port` or `https://host:port`, and the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The port, or 0 for what has none.
    pub fn port(&self) -> u16 {
        let port = self.authority().rsplit(':').next().unwrap_or_default();
        port.parse().unwrap_or_default()
    }

    /// The same scheme, host and port with this path, which starts with `/` or is empty.
    ///
    /// # Errors
    /// When what comes of it is no address.
    pub fn at(&self, path: &str) -> Result<Self, BadAddress> {
        if !path.is_empty() && !path.starts_with('/') {
            return Err(BadAddress { text: path.chars().take(100).collect(), why: "is not a path: it starts with /" });
        }
        format!("{}{COLON}{}{path}", self.scheme(), self.authority()).parse()
    }

    fn parts(&self) -> (&str, &str) {
        let rest = &self.0[self.scheme().len() + COLON.len()..];
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    }

    fn read(text: &str, portless: bool) -> Result<Self, BadAddress> {
        let refuse = |why| Err(BadAddress { text: text.chars().take(100).collect(), why });
        if text.len() > 300 {
            return refuse("is longer than 300 bytes");
        }
        let (scheme, uri) = match text.split_once(COLON) {
            Some((HTTP, _)) => (HTTP, text.parse::<Uri>()),
            Some((HTTPS, _)) => (HTTPS, text.parse()),
            Some(_) => return refuse("has a scheme that is neither http nor https"),
            None => (HTTP, format!("{HTTP}{COLON}{text}").parse()),
        };
        let Ok(uri) = uri else {
            return refuse("is not http://host:port");
        };
        let Some(authority) = uri.authority() else {
            return refuse("has no host");
        };
        if uri.query().is_some() || text.contains('#') {
            return refuse("has something after its path");
        }
        let path = uri.path().strip_suffix('/').unwrap_or(uri.path());
        if path.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) {
            return refuse("has a path with an empty part, . or .. in it");
        }
        if authority.as_str().contains('@') {
            return refuse("has a user name in it");
        }
        if authority.host().is_empty() {
            return refuse("has no host");
        }
        // Most are written in their one form already: nothing left out, no zeros before the port, no slash at the end.
        let length = scheme.len() + COLON.len() + authority.as_str().len() + path.len();
        let zeros = authority.port().is_some_and(|port| port.as_str().len() > 1 && port.as_str().starts_with('0'));
        match authority.port_u16() {
            Some(0) if !portless => refuse("has no port from 1 to 65535"),
            None => refuse("has no port from 1 to 65535"),
            Some(_) if text.len() == length && !zeros => Ok(Self(text.into())),
            Some(port) => Ok(Self(format!("{scheme}{COLON}{}:{port}{path}", authority.host()).into())),
        }
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        Self::read(text, false)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        Self::read(&text, true)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.as_str().to_owned()
    }
}

impl From<std::net::SocketAddr> for Address {
    fn from(socket: std::net::SocketAddr) -> Self {
        Self(format!("{HTTP}{COLON}{socket}").into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is not an [`Address`]; says which and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress {
    text: String,
    why: &'static str,
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "address {:?} {}", self.text, self.why)
    }
}

impl Error for BadAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_brought_to_one_form() {
        for text in [
            "http://127.0.0.1:8001",
            "127.0.0.1:8001",
            "http://127.0.0.1:8001/",
            "127.0.0.1:08001",
            "http://127.0.0.1:08001",
            "127.0.0.1:00000008001",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.as_str(), "http://127.0.0.1:8001");
            assert_eq!((address.authority(), address.port()), ("127.0.0.1:8001", 8001));
        }
        let six: Address = "[::1]:8001".parse().unwrap();
        assert_eq!((six.authority(), six.port(), six.path()), ("[::1]:8001", 8001, ""));
    }

    #[test]
    fn an_address_may_be_https() {
        for text in ["https://ratings.example:8443", "https://ratings.example:8443/", "https://ratings.example:08443"] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.scheme(), address.is_https()), ("https", true));
            assert_eq!(address.to_string(), "https://ratings.example:8443");
            assert_eq!(
                (address.authority(), address.port(), address.host()),
                ("ratings.example:8443", 8443, "ratings.example")
            );
            assert_eq!(address.as_str().parse(), Ok(address.clone()));
            assert_eq!(serde_json::from_str::<Address>(&serde_json::to_string(&address).unwrap()).unwrap(), address);
        }
        let below: Address = "https://[::1]:1/x".parse().unwrap();
        assert_eq!((below.authority(), below.host(), below.path()), ("[::1]:1", "::1", "/x"));
        assert_eq!(below.at("/y").unwrap().as_str(), "https://[::1]:1/y");
        assert!(Address::plain("https://[::1]:1/x").unwrap_err().to_string().contains("no TLS"));
        let plain = Address::plain("http://https:1").unwrap();
        assert_eq!((plain.scheme(), plain.host()), ("http", "https"));
    }

    #[test]
    fn what_has_no_port_can_be_told_of_and_not_be_asked_for() {
        let none = Address::portless("db.example").unwrap();
        assert_eq!((none.as_str(), none.host(), none.port()), ("http://db.example:0", "db.example", 0));
        assert_eq!(serde_json::from_str::<Address>(&serde_json::to_string(&none).unwrap()).unwrap(), none);
        assert!(none.as_str().parse::<Address>().unwrap_err().to_string().contains("no port"));
        for wrong in ["", "a b", "a/b", "db:1", "me@db"] {
            assert!(Address::portless(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_may_have_a_path() {
        for text in ["127.0.0.1:9091/bidders/bidder1", "http://127.0.0.1:9091/bidders/bidder1/"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.as_str(), "http://127.0.0.1:9091/bidders/bidder1");
            assert_eq!((address.authority(), address.port()), ("127.0.0.1:9091", 9091));
            assert_eq!(address.path(), "/bidders/bidder1");
        }
        let base: Address = "[::1]:9091/x".parse().unwrap();
        assert_eq!(base.at("/bidders/bidder2").unwrap().as_str(), "http://[::1]:9091/bidders/bidder2");
        assert_eq!(base.at("").unwrap().as_str(), "http://[::1]:9091");
        for wrong in ["?x", "1/x", "@evil:1/", "//x", "/x//", "/x/../y"] {
            assert!(base.at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "is not"),
            ("127.0.0.1", "no port"),
            ("127.0.0.1:0", "no port"),
            ("127.0.0.1:99999", "no port"),
            ("ftp://127.0.0.1:1", "scheme"),
            ("https:/127.0.0.1:1", "no port"),
            ("https://127.0.0.1", "no port"),
            ("http://127.0.0.1:1/x?y", "after its path"),
            ("http://127.0.0.1:1/x#y", "after its path"),
            ("http://127.0.0.1:1?y", "after its path"),
            ("http://127.0.0.1:1//x", "empty part"),
            ("http://127.0.0.1:1//", "empty part"),
            ("http://127.0.0.1:1/x/../y", ".."),
            ("http://127.0.0.1:1/a b", "is not"),
            ("http://me@127.0.0.1:1", "user name"),
            ("http://a b:1", "is not"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error:?} does not say {why:?}");
        }
    }
}
