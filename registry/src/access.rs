//! Who may do what: tokens, each with the services it may read and those it may register, kept as hashes.
//!
//! The file is JSON, and is read again when it changes:
//!
//! ```json
//! {"tokens": [{"name": "market", "sha256": "9f86d0…", "read": [""], "register": ["ratings"]}],
//!  "anonymous": {"read": ["ratings"]}}
//! ```
//!
//! A right is the beginning of service names; the empty one is that of all. What `anonymous` may, everybody may, and so
//! may whoever cannot show a token, such as a DNS client. A token is 256 random bits, so that its plain SHA-256 says
//! nothing of it.

mod file;
mod rights;
#[cfg(test)]
mod tests;
mod token;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{error, info};

pub use self::file::BadTokens;
use self::file::Tokens;
pub use self::rights::Rights;
pub use self::token::Token;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The tokens of a file, as it is now.
#[derive(Debug, Clone)]
pub struct Access {
    path: Arc<Path>,
    tokens: Arc<RwLock<Tokens>>,
    changed: Arc<watch::Sender<()>>,
}

impl Access {
    /// Reads the tokens of a file.
    ///
    /// # Errors
    /// When it cannot be read, or is not what it should be; says where.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, BadTokens> {
        let path: Arc<Path> = path.into().into();
        let tokens = Arc::new(RwLock::new(Tokens::read(&path)?));
        Ok(Self { path, tokens, changed: Arc::default() })
    }

    /// What somebody may who shows this token, or none; nothing, if the token is none of the file's.
    pub(crate) fn rights(&self, token: Option<&str>) -> Option<Rights> {
        self.tokens.read().rights(token)
    }

    /// Tells when somebody may do something else than before.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Reads the file again whenever it changes; one that cannot be read changes nothing. Never ends.
    pub(crate) async fn follow(&self) {
        loop {
            sleep(LOOK_EVERY).await;
            let path = Arc::clone(&self.path);
            let written = self.tokens.read().written;
            let read = tokio::task::spawn_blocking(move || file::read_if_newer(&path, written)).await;
            match read {
                Ok(Ok(Some(tokens))) => {
                    info!(path = %self.path.display(), "tokens have changed");
                    *self.tokens.write() = tokens;
                    self.changed.send_replace(());
                }
                Ok(Err(reason)) => error!("{reason}; the tokens stay what they were"),
                Ok(Ok(None)) | Err(_) => {}
            }
        }
    }
}
