//! What the registry takes to be told by thousands of instances that they are there, and to remember them.

mod held;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use self::held::Held;
use super::account::{Memory, cpu};
use super::beating::CONNECTIONS;
use super::options::{Options, Rules};
use super::ours::Ours;
use super::side::{Live as _, Side as _};
use super::{files, load};
use crate::Failed;

/// How often each beats.
const BEAT_EVERY: Duration = Duration::from_secs(10);
/// Instances of one service.
const EACH: u32 = 1_000;

/// How instances come by their leases.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Each beats for itself.
    Alone,
    /// So many are registered with a lease, whose connection stands.
    Held(u32),
}

pub(super) async fn measure(options: &Options) -> Result<(), Failed> {
    println!(
        "{} instances beating every 10 s over {CONNECTIONS} connections, for {} s",
        options.instances,
        options.watched_for().as_secs()
    );
    println!("{:<44}{:>10}{:>12}{:>12}{:>12}", "", "beats/s", "of a core", "PSS", "RSS");
    for kind in [Kind::Alone, Kind::Held(100), Kind::Held(1)] {
        match files::allow(kind.connections(options.instances)) {
            Ok(()) => println!("{:<44}{}", kind.title(), row(kind, options).await?),
            Err(why) => println!("{:<44}  left out: {why}", kind.title()),
        }
    }
    println!();
    Ok(())
}

impl Kind {
    fn connections(self, instances: u32) -> u32 {
        match self {
            Self::Alone => 0,
            Self::Held(many) => instances.div_ceil(many),
        }
    }

    fn title(self) -> String {
        match self {
            Self::Alone => "each for itself, without a connection".to_owned(),
            Self::Held(1) => "one lease each, with its connection".to_owned(),
            Self::Held(many) => format!("one lease for {many}, with its connection"),
        }
    }
}

async fn row(kind: Kind, options: &Options) -> Result<String, Failed> {
    let mut instances = load::instances(options.instances, EACH)?;
    let mut ours = Ours::start(Rules::patient()).await?;
    let mut held = None;
    let beating = match kind {
        Kind::Alone => {
            ours.load(&instances).await?;
            ours.beat(BEAT_EVERY).await?
        }
        Kind::Held(many) => {
            let leases = Held::open(ours.address, kind.connections(options.instances)).await?;
            leases.share(&mut instances, many as usize);
            load::register(ours.address, &instances).await?;
            held.insert(leases).beat(BEAT_EVERY, &Arc::default()).await?
        }
    };
    let process = ours.process()?;
    // What was left behind by the registrations is not what beats take.
    sleep(Duration::from_secs(1)).await;
    let before = cpu(process)?;
    sleep(options.watched_for()).await;
    let (used, memory) = (cpu(process)? - before, Memory::of(process)?);
    let beats = beating.end().await? as f64 / (options.watched_for().as_secs_f64() + 1.0);
    drop(held);
    ours.stop().await?;
    let share = 100.0 * used.as_secs_f64() / options.watched_for().as_secs_f64();
    let [pss, rss] = [memory.proportional, memory.resident].map(|kib| kib / 1024.0);
    Ok(format!("{beats:>10.0}{share:>10.1} %{pss:>8.1} MiB{rss:>8.1} MiB"))
}
