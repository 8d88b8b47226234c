//! Parameters that only keys and sessions are asked with.

use std::time::Duration;

use crate::consul::{Asked, No};
use crate::kv::board::Subject;

impl Asked {
    /// Waits for something to be newer than a revision, for so long at most, if that is asked for.
    pub(super) async fn until_newer(&self, waits: Option<(u64, Duration)>, subject: Subject) -> Result<(), No> {
        if let Some((revision, wait)) = waits {
            self.directory.board().wait(&subject, revision, wait).await?;
        }
        Ok(())
    }

    /// A parameter that Consul takes for said whatever it says: it is left out, or says yes.
    pub(super) fn mark(&self, name: &str) -> Result<bool, No> {
        match (self.text(name), self.flag(name)) {
            (None, _) => Ok(false),
            (Some(_), Ok(true)) => Ok(true),
            (Some(_), _) => Err(No::bad(format!("parameter {name:?} is a flag: leave it out, or say 1 or true"))),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, No> {
        let number = |value: &str| value.parse().map_err(|_| No::bad(format!("parameter {name:?} is no number")));
        self.text(name).map(number).transpose()
    }

    /// Refuses more than one of these.
    pub(super) fn either(&self, names: &[&str]) -> Result<(), No> {
        let there: Vec<&str> = names.iter().copied().filter(|name| self.text(name).is_some()).collect();
        match there[..] {
            [one, other, ..] => Err(No::bad(format!("parameters {one:?} and {other:?} exclude each other"))),
            _ => Ok(()),
        }
    }
}
