//! Random schedules in simulated time, over the real roster, rotation and breakers: no runtime, instants are
//! arithmetic.
//!
//! | Variable | Means | Default |
//! |---|---|---|
//! | `MAINSTAY_SCHEDULES` | how many | 10 000 |
//! | `MAINSTAY_SCHEDULE` | this one alone, as a failure has printed it | |
//!
//! Where they begin is random, so that each run tries others.

mod checks;
mod stretch;
mod world;

use std::env;
use std::num::NonZero;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use self::world::World;

const SCHEDULES: u64 = 10_000;
const STEPS: u32 = 60;

#[test]
fn random_schedules_keep_the_ledger() {
    if let Some(seed) = asked("MAINSTAY_SCHEDULE") {
        return run(seed);
    }
    let (first, schedules) = (fastrand::u64(..1 << 48), asked("MAINSTAY_SCHEDULES").unwrap_or(SCHEDULES));
    let next = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= schedules {
                        break;
                    }
                    run(first + nth);
                }
            });
        }
    });
    println!("{schedules} schedules of {STEPS} steps, from {first}, on {threads} threads");
}

fn asked<T: FromStr>(variable: &str) -> Option<T> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is to be a number, and not {value}")))
}

fn run(seed: u64) {
    let named = Named(seed);
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
        world.check();
    }
    world.end();
    drop(named);
}

/// Says which schedule it was that failed.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("again, and this one alone: MAINSTAY_SCHEDULE={}", self.0);
        }
    }
}
