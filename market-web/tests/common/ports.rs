//! Free ports, many in a row.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The first of so many ports that are all free, below those that systems hand out by themselves. Tests of one program
/// take them in turn; other programs are asked by binding.
pub(crate) fn free_ports(room: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 10_000 + (std::process::id() % 10) as u16 * 2048;
    loop {
        let base = start + NEXT.fetch_add(room, Ordering::Relaxed);
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (base..base + room).all(is_free) {
            return base;
        }
    }
}
