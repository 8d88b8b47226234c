//! The engine in this process. It has one user, whose clones share it.

use mainstay_messaging::Messages;
use tempfile::TempDir;

use super::Server;

pub(crate) struct Embedded {
    messages: Messages,
    _dir: TempDir,
}

impl Server for Embedded {
    async fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let messages = Messages::open(&format!("embedded:{}", dir.path().display())).await.unwrap();
        Some(Self { messages, _dir: dir })
    }

    async fn open(&self) -> Messages {
        self.messages.clone()
    }
}
