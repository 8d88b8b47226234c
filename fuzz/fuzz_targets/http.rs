//! Any requests to the registry, one after the other: each is answered, or refused with a reason, and none breaks it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_registry::testing::Edge;
use tokio::runtime::Builder;

fuzz_target!(|input: &[u8]| {
    // Whoever waits for ten minutes takes no time.
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        Edge::open().await.expect("a registry without a disk").meet(input).await;
    });
});
