//! The first look at what is kept, which begins its life where there is none.

use tokio::time::sleep;
use tracing::warn;

use super::keys::{Key, Keys};
use super::read::{self, All};
use super::rows::{self, At, Life, VERSION};
use super::run::AGAIN;
use crate::directory;
use crate::etcd::{Client, Compare, Failed, Op, Put, TXN, Txn, TxnDone};

/// All there is; the beginning of it, if nobody has made that yet. Asks until etcd answers.
pub(super) async fn begin(client: &Client, keys: &Keys) -> All {
    let mut failing = false;
    loop {
        match try_to_begin(client, keys).await {
            Ok(all) => return all,
            Err(failed) if !failing => warn!("{failed}; trying on"),
            Err(_) => {}
        }
        failing = true;
        sleep(AGAIN).await;
    }
}

async fn try_to_begin(client: &Client, keys: &Keys) -> Result<All, Failed> {
    let life = Life { version: VERSION, epoch: directory::micros(), secret: uuid::Uuid::new_v4().simple().to_string() };
    let put = |key: Key, value: Vec<u8>| Op::Put(Put { key: keys.of(&key), value, lease: 0 });
    // Each for itself: whoever restores etcd from a copy removes the life, and what is there goes on in another one.
    for (key, value) in [(Key::Life, rows::write(&life)), (Key::At, rows::write(&At::default()))] {
        let first = Compare::created(keys.of(&key), 0);
        let _: TxnDone = client.call(TXN, Txn::new([first], [put(key, value)])).await?;
    }
    read::all(client, keys).await
}
