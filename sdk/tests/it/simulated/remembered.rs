//! A client that starts while every registry is away.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay::contracts::ratings::Ratings;
use mainstay::contracts::registry::{Listed, Listing};
use mainstay::testing::{Answer, Network, SimulatedInstance};
use mainstay::{Client, GoneReason, Presence};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::{Registry, instance};
use crate::common::{RATING, camera};
use crate::log::Log;

const SECOND: Duration = Duration::from_secs(1);

struct World {
    network: Network,
    registry: Registry,
    _instances: Vec<SimulatedInstance>,
    directory: TempDir,
}

impl World {
    fn new(count: u32) -> Self {
        let network = Network::new();
        let registry = Registry::start(&network, "10.1.0.1:8500");
        registry.keep_speaking();
        let start = |number: u32| network.instance(&format!("10.0.0.{number}:80"), |_| Answer::ok(RATING));
        let instances = (1..=count).map(start).collect();
        Self { network, registry, _instances: instances, directory: TempDir::new().unwrap() }
    }

    fn client(&self) -> Client<Ratings> {
        let registry = self.registry.process.address();
        let client = Client::builder().registry(registry).network(self.network.clone());
        client.remember(self.directory.path()).build().unwrap()
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("ratings.json")
    }

    /// Who stands in the file, by number.
    fn kept(&self) -> Vec<u64> {
        let Ok(json) = fs::read(self.file()) else { return Vec::new() };
        let kept: serde_json::Value = serde_json::from_slice(&json).unwrap();
        kept["instances"].as_array().unwrap().iter().map(|listed| listed["number"].as_u64().unwrap()).collect()
    }
}

fn presences(client: &Client<Ratings>) -> Vec<(u32, Presence)> {
    client.snapshot().instances.iter().map(|view| (view.instance.number, view.presence)).collect()
}

/// As somebody has written it an hour ago.
fn write(file: &Path, numbers: impl IntoIterator<Item = u32>) {
    let instances = numbers.into_iter().map(|number| Listed { instance: instance(number), presence: Presence::Up });
    let listing = Listing { service: "ratings".to_owned(), epoch: 1, revision: 7, instances: instances.collect() };
    let mut json = serde_json::to_value(listing).unwrap();
    let hour_ago = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - 3600 * SECOND;
    json["format"] = json!(1);
    json["heard_ms"] = json!(hour_ago.as_millis() as u64);
    fs::write(file, json.to_string()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_was_there_last_is_written_down_once_a_second_at_most() {
    let world = World::new(3);
    world.registry.put_quietly(1, Presence::Up);
    let client = world.client();
    camera(&client).await.unwrap();
    sleep(SECOND / 10).await;
    assert_eq!(world.kept(), [1]);
    world.registry.put(2, Presence::Silent);
    world.registry.put(3, Presence::Up);
    sleep(SECOND / 2).await;
    assert_eq!(world.kept(), [1]);
    sleep(SECOND).await;
    assert_eq!(world.kept(), [1, 2, 3]);
    world.registry.remove(1, GoneReason::Left);
    sleep(2 * SECOND).await;
    assert_eq!(world.kept(), [2, 3]);
    // A registry that knows nobody any more is not believed at once, and so it is not remembered.
    world.registry.restart();
    sleep(5 * SECOND).await;
    assert_eq!(world.kept(), [2, 3]);
    assert_eq!(fs::read_dir(world.directory.path()).unwrap().count(), 1, "no draft is left");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_remembered_may_be_called_while_the_registry_is_away() {
    let world = World::new(2);
    world.registry.put_quietly(1, Presence::Up);
    world.registry.put_quietly(2, Presence::Up);
    let before = world.client();
    camera(&before).await.unwrap();
    sleep(2 * SECOND).await;
    drop(before);
    world.registry.process.kill();

    let client = world.client();
    for _ in 0..600 {
        assert!(camera(&client).await.unwrap().is_live());
        sleep(SECOND).await;
    }
    assert_eq!(presences(&client), [(1, Presence::Silent), (2, Presence::Silent)]);
    assert!(client.snapshot().registry.unwrap().age >= 600 * SECOND);
    world.registry.process.resume();
    sleep(2 * SECOND).await;
    assert_eq!(presences(&client), [(1, Presence::Up), (2, Presence::Up)]);
    assert!(client.snapshot().registry.unwrap().age <= 6 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_first_live_list_settles_who_is_there() {
    // Of three, one has left since; of ten, it is not believed that all but one have.
    for (remembered, listed, left) in [(3, 2, 2), (10, 1, 10)] {
        let world = World::new(remembered);
        write(&world.file(), 1..=remembered);
        world.registry.process.kill();
        let client = world.client();
        let age = client.snapshot().registry.unwrap().age;
        assert!(age >= 3600 * SECOND && age < 3700 * SECOND, "{age:?}");
        (1..=listed).for_each(|number| world.registry.put_quietly(number, Presence::Up));
        world.registry.process.resume();
        sleep(2 * SECOND).await;
        let present = presences(&client).iter().filter(|(_, presence)| *presence != Presence::Gone).count();
        assert_eq!(present, left as usize);
        sleep(110 * SECOND).await;
        let present = presences(&client).iter().filter(|(_, presence)| *presence == Presence::Up).count();
        assert_eq!(present, listed as usize);
        assert_eq!(presences(&client).iter().filter(|(_, presence)| *presence == Presence::Silent).count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_damaged_or_of_something_else_is_ignored() {
    let world = World::new(1);
    world.registry.put_quietly(1, Presence::Up);
    let file = world.file();
    write(&file, [2]);
    let good: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let with = |key: &str, value: serde_json::Value| {
        let mut json = good.clone();
        json[key] = value;
        json.to_string()
    };
    let half = good.to_string().split_at(80).0.to_owned();
    let cases = [
        (String::new(), "EOF while parsing"),
        (half, "EOF while parsing"),
        (with("service", json!("bidding")), "it is of bidding"),
        (with("format", json!(2)), "it has format 2, and not 1"),
        (with("instances", json!([{ "id": "a" }])), "missing field"),
    ];
    for (text, why) in cases {
        let log = Log::listen();
        fs::write(&file, text).unwrap();
        let client = world.client();
        assert_eq!(presences(&client), []);
        let warnings = log.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains(why), "{warnings:?}");
        assert!(warnings[0].starts_with("what is remembered of ratings in "), "{warnings:?}");
        timeout(SECOND, camera(&client)).await.unwrap().unwrap();
        // It is written anew, and not while the next one is.
        sleep(SECOND).await;
    }
    let log = Log::listen();
    File::create(&file).unwrap().set_len(64 * 1024 * 1024).unwrap();
    assert_eq!(presences(&world.client()), []);
    assert!(log.warnings()[0].contains("it has more than"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let client = world.client();
    camera(&client).await.unwrap();
    sleep(5 * SECOND).await;
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 2, "not read, and said once that it cannot be written: {warnings:?}");
    assert!(warnings[1].starts_with("ratings cannot be remembered in "), "{warnings:?}");
    assert_eq!(fs::read_dir(world.directory.path()).unwrap().count(), 1, "no draft is left");
}
