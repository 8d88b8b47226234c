//! A new token.

use std::fmt;
use std::io;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// Something to show. It is shown once, when it is made.
#[derive(PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token that nobody can guess: 256 random bits.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> io::Result<Self> {
        let mut bits = [0; 32];
        let none = |_| io::Error::other("the system has no random numbers");
        SystemRandom::new().fill(&mut bits).map_err(none)?;
        Ok(Self(format!("mst_{}", hex(&bits))))
    }

    /// What is shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn sha256(&self) -> String {
        sha256(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

pub(super) fn sha256(token: &str) -> String {
    hex(digest(&SHA256, token.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
