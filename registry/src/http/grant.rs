//! What somebody was let through for: looked at again while the answer goes on, as rights may be taken away.

use http::{Method, StatusCode, Uri};
use tokio::sync::watch;

use super::denied::Denied;
use super::rules;
use crate::{Access, Rights};

/// A request, as far as it matters for whether it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    access: Access,
    changed: watch::Receiver<()>,
    token: Option<String>,
    method: Method,
    uri: Uri,
}

impl Grant {
    pub(super) fn new(access: &Access, token: Option<String>, method: &Method, uri: &Uri) -> Self {
        // Before anything is looked at, so that no change falls in between.
        let changed = access.changes();
        Self { access: access.clone(), changed, token, method: method.clone(), uri: uri.clone() }
    }

    /// What whoever asks may, if that is enough.
    pub(super) fn rights(&self) -> Result<Rights, Denied> {
        let unauthorized = |reason: String| Denied::new(StatusCode::UNAUTHORIZED, reason);
        let Some(rights) = self.access.rights(self.token.as_deref()) else {
            return Err(unauthorized("this token is none of those that are known".to_owned()));
        };
        match (rules::check(&rights, &self.method, self.uri.path()), &self.token) {
            (Ok(()), _) => Ok(rights),
            (Err(reason), Some(_)) => Err(Denied::new(StatusCode::FORBIDDEN, reason)),
            (Err(reason), None) => Err(unauthorized(format!("{reason}; show a token: Authorization: Bearer TOKEN"))),
        }
    }

    /// Would it be answered now as well? Costs a comparison as long as no rights have changed.
    pub(super) fn stands(&mut self) -> bool {
        // The sender is that of the access.
        if !self.changed.has_changed().unwrap_or_default() {
            return true;
        }
        // Before the look: what changes during it is looked at the next time.
        self.changed.mark_unchanged();
        self.rights().is_ok()
    }

    /// Waits until whoever asks may something else than before; says why that is no answer.
    ///
    /// Cancel safe.
    pub(super) async fn changed(mut self, before: Rights) -> Denied {
        loop {
            // The sender is that of the access.
            let _ = self.changed.changed().await;
            match self.rights() {
                Ok(rights) if rights == before => {}
                // What is on a list depends on it.
                Ok(_) => {
                    let reason = "what you may read has changed meanwhile: ask again";
                    return Denied::new(StatusCode::SERVICE_UNAVAILABLE, reason);
                }
                Err(denied) => return denied,
            }
        }
    }
}
