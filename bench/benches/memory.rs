//! What a client holds of instances that nobody has called yet: `cargo bench --bench memory`.

use std::net::SocketAddr;

use allocation_counter::measure;
use mainstay::contracts::ratings::Ratings;
use mainstay::{Address, Client};

const COUNTS: [u16; 3] = [100, 1_000, 10_000];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let none = held(0);
    println!("a client: {:.1} KiB", none / KIB);
    println!("{:>9}  {:>9}  {:>12}", "instances", "MiB", "bytes of each");
    for count in COUNTS {
        let bytes = held(count) - none;
        println!("{count:>9}  {:>9.2}  {:>12.0}", bytes / KIB / KIB, bytes / f64::from(count));
    }
    Ok(())
}

const KIB: f64 = 1024.0;

/// Bytes that a client of so many instances has allocated and not given back.
fn held(count: u16) -> f64 {
    let mut client = None;
    let counted = measure(|| {
        let addresses = (1..=count).map(|port| Address::from(SocketAddr::from(([127, 0, 0, 1], port))));
        client = Client::<Ratings>::builder().fixed(addresses).build().ok();
    });
    assert!(client.is_some(), "there is a client");
    counted.bytes_current as f64
}
