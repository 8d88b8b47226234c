//! What matters of a line of a watch, without the rest.

use serde::Deserialize;

use crate::Failed;

/// Beside [`WatchFrame`](mainstay::contracts::registry::WatchFrame), which would copy a whole list for each of thousands
/// of watchers.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    pub(crate) epoch: Option<u64>,
    pub(crate) revision: Option<u64>,
    pub(crate) id: Option<&'a str>,
}

impl<'a> Head<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Result<Self, Failed> {
        Ok(serde_json::from_slice(line)?)
    }
}

#[cfg(test)]
mod tests {
    use mainstay::contracts::registry::{GoneReason, Listing, WatchFrame};

    use super::*;

    #[test]
    fn it_is_what_the_contract_says() {
        let (service, instances) = ("s".to_owned(), Vec::new());
        let snapshot = WatchFrame::Snapshot(Listing { service, epoch: 3, revision: 7, instances });
        let gone = WatchFrame::Gone { revision: 8, id: "i-1".parse().unwrap(), why: GoneReason::Left };
        let read = |frame| serde_json::to_vec(&frame).unwrap();
        let (snapshot, gone) = (read(snapshot), read(gone));
        let head = Head { kind: "snapshot", epoch: Some(3), revision: Some(7), id: None };
        assert_eq!(Head::of(&snapshot).unwrap(), head);
        let head = Head { kind: "gone", epoch: None, revision: Some(8), id: Some("i-1") };
        assert_eq!(Head::of(&gone).unwrap(), head);
    }
}
