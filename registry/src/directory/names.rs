//! What DNS is answered from.

use std::sync::Arc;

use mainstay_contracts::registry::Listed;

use super::Directory;
use crate::dns::Names;

impl Names for Directory {
    fn revision(&self, service: &str) -> Option<u64> {
        let view = self.views.get(service).filter(|view| view.is_known() && self.readable(service))?;
        Some(view.revision())
    }

    fn instances(&self, service: &str) -> Vec<Arc<Listed>> {
        let rows = self.views.get(service).map(|view| view.rows()).unwrap_or_default();
        rows.into_iter().map(|row| row.listed).collect()
    }
}

impl Directory {
    /// May those read it who cannot show a token?
    fn readable(&self, service: &str) -> bool {
        let rights = self.config.access.as_ref().and_then(|access| access.rights(None));
        rights.is_none_or(|rights| rights.may_read(service))
    }
}
