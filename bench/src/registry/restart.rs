//! `kill -9` of the registry, and a new process on the same data: how soon it knows all instances again, and how soon all
//! watchers have what is new.

use std::time::Duration;

use mainstay::contracts::registry::List;
use tokio::time::{Instant, sleep, timeout};

use super::crowd::Crowd;
use super::http::Connection;
use super::options::{Options, Rules};
use super::ours::Ours;
use super::side::instance;
use super::{files, load};
use crate::Failed;
use crate::stats::Spread;

/// Instances of one service.
const EACH: u32 = 1_000;
/// How long everything may take until it is as it was.
const PATIENCE: Duration = Duration::from_secs(30);
/// How closely it is looked whether it is.
const LOOK: Duration = Duration::from_millis(2);

/// What came of one kill, since it.
#[derive(Debug)]
struct Back {
    listed: Duration,
    fresh: Duration,
    resumed: u32,
    anew: u32,
}

pub(super) async fn measure(options: &Options) -> Result<(), Failed> {
    files::allow(options.watchers)?;
    let mut ours = Ours::start(Rules::patient()).await?;
    load::register(ours.address, &load::instances(options.instances, EACH)?).await?;
    let services: Vec<_> = (0..options.instances.div_ceil(EACH)).map(load::service).collect();
    let crowd = Crowd::gather(ours.address, &services, options.watchers).await?;
    let mut backs = Vec::new();
    for kill in 0..options.kills {
        backs.push(once(&mut ours, &crowd, &services, options.instances, kill).await?);
    }
    println!("{} times kill -9, {} instances and {} watchers", options.kills, options.instances, crowd.len());
    let times = |what: fn(&Back) -> Duration| {
        let times = backs.iter().map(|back| what(back).as_secs_f64() * 1e3);
        let worst = times.clone().fold(0.0, f64::max);
        Spread::of(times)
            .map_or_else(String::new, |spread| format!("median {:.0} ms, worst {worst:.0} ms", spread.median))
    };
    let resumed = backs.iter().map(|back| back.resumed).sum::<u32>();
    let all = resumed + backs.iter().map(|back| back.anew).sum::<u32>();
    println!("  from the kill until all instances are listed    {}", times(|back| back.listed));
    println!("  until all watchers have what was changed since  {}", times(|back| back.fresh));
    println!(
        "  watchers who resumed without a whole list       {:.1} %\n",
        100.0 * f64::from(resumed) / f64::from(all)
    );
    drop(crowd);
    ours.stop().await
}

async fn once(ours: &mut Ours, crowd: &Crowd, services: &[String], before: u32, kill: u32) -> Result<Back, Failed> {
    let came = crowd.came_back();
    let killed = Instant::now();
    ours.kill_and_start_again().await?;
    let mut connection = Connection::open(ours.address).await?;
    let mut listed = 0;
    for service in services {
        listed += connection.call(&List { service: service.clone() }).await?.instances.len();
    }
    let took = killed.elapsed();
    let expected = before as usize + services.len() * kill as usize;
    if listed != expected {
        return Err(format!("{listed} of {expected} instances are listed after a kill").into());
    }
    let mut changed = Vec::new();
    for (service, place) in services.iter().zip(0..) {
        let number = 1_000_000 + kill * services.len() as u32 + place;
        changed.push(connection.call(&instance(service, number)?).await?.revision);
    }
    let all = async {
        while crowd.fresh(&changed) < crowd.len() {
            sleep(LOOK).await;
        }
    };
    if timeout(PATIENCE, all).await.is_err() {
        let fresh = crowd.fresh(&changed);
        let (all, refused) = (crowd.len(), crowd.refused());
        return Err(format!("{fresh} of {all} watchers are fresh {PATIENCE:?} after a kill{refused}").into());
    }
    let fresh = killed.elapsed();
    let now = crowd.came_back();
    Ok(Back { listed: took, fresh, resumed: now.0 - came.0, anew: now.1 - came.1 })
}
