//! What etcd need not remember.

use std::time::Duration;

use tokio::time::sleep;

use super::keys::Key;
use super::replicas::Replicas;
use crate::etcd::{COMPACT, Compact, Found, Nothing, RANGE, Range};

/// How long etcd remembers what keys were before.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// Has etcd forget, again and again, what keys were before: every batch changes some, and etcd forgets nothing by itself.
/// Does not end.
pub(super) async fn forget(replicas: &Replicas) {
    let mut before = 0;
    loop {
        let range = Range { key: replicas.keys.of(&Key::At), end: Vec::new(), limit: 1, revision: 0 };
        if let Ok(Found { header: Some(header), .. }) = replicas.client.call(RANGE, range).await {
            if before > 0 && before < header.revision {
                // Somebody else may have done so already.
                let _ = replicas.client.call::<_, Nothing>(COMPACT, Compact { revision: before }).await;
            }
            before = header.revision;
        }
        sleep(REMEMBERED).await;
    }
}
