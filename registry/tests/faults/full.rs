//! A full disk: a small one, which only a process of its own sees, so that nothing of it stays.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use mainstay_contracts::registry::{LeaseId, Look};
use mainstay_registry::testing::{Acknowledged, Expiry, Fold, Terms};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, Frames, registration};
use crate::follower::Follower;
use crate::process::{Process, SOON};

const DISK: &str = "MAINSTAY_TEST_DISK";
/// So many that all the others may be gone at once.
const LIVING: u16 = 40;
/// What is only read is answered by then, however full the disk is.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn a_full_disk_is_said_and_nobody_is_the_worse_for_it() {
    let directory = TempDir::new().unwrap();
    let script = "mount -t tmpfs -o size=4m tmpfs \"$1\" || exit 77
                  exec \"$2\" --exact full::on_a_small_disk --ignored --nocapture";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", script, "sh"]).arg(directory.path());
    command.arg(std::env::current_exe().unwrap());
    let done = command.env(DISK, directory.path()).stdin(Stdio::null()).output();
    let Ok(done) = done else { return println!("skipped: there is no unshare here") };
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    if said.contains("unshare failed") || done.status.code() == Some(77) {
        return println!("skipped: no disk may be mounted here: {said}");
    }
    print!("{said}");
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

/// A registry on the small disk, with instances that beat, one that does not, and one who watches them.
struct World {
    process: Process,
    watcher: Follower,
    expiry: Arc<Mutex<Expiry>>,
    acknowledged: Acknowledged,
}

impl World {
    async fn new(disk: &Path) -> Self {
        let args = ["--silent-after", "2s", "--gone-after", "2s"];
        let process = Process::start_in(TempDir::new_in(disk).unwrap(), &args).await;
        let lease = Duration::from_secs(2);
        let terms = Terms { silent_after: lease, gone_after: lease, grace: Duration::from_secs(15), late: 2 * lease };
        let expiry = Arc::new(Mutex::new(Expiry::new(terms)));
        let watcher = Follower::start(process.client(), Fold::default(), Some(&expiry));
        let mut world = Self { process, watcher, expiry, acknowledged: Acknowledged::default() };
        for number in 1..=LIVING {
            let lease = lease_of(number);
            let held = world.process.client().hold(&lease).await.unwrap();
            world.register(&format!("r{number}"), number, Some(&lease)).await;
            tokio::spawn(beat(world.process.client(), number, held, Arc::clone(&world.expiry)));
        }
        world.register("mute", LIVING + 1, None).await;
        world
    }

    async fn register(&mut self, id: &str, port: u16, lease: Option<&LeaseId>) {
        let (call, sent) = (registration(id, port, lease), Instant::now());
        let answer = self.process.client().register(&call).await.expect("it answers");
        self.expiry.lock().beaten(&call.id, sent, Instant::now());
        self.acknowledged.registered(&call, &answer);
    }

    /// What `/health`, the overview and the metrics say of it.
    async fn says(&self, trouble: Option<&str>) {
        let mut client = self.process.client();
        let health = client.text("/health").await.unwrap();
        let (status, unable) = match trouble {
            Some(why) => (format!(r#""status":"cannot change","why":"{why}""#), 1),
            None => (r#""status":"ok""#.to_owned(), 0),
        };
        assert!(health.contains(&status), "{health}");
        let metrics = client.text("/metrics").await.unwrap();
        assert!(metrics.contains(&format!("mainstay_registry_unable_to_change {unable}\n")), "{metrics}");
        let overview = client.ask(&Look {}).await.unwrap().unwrap();
        assert_eq!(overview.trouble.as_deref(), trouble);
    }
}

fn lease_of(number: u16) -> LeaseId {
    format!("process-{number}").parse().unwrap()
}

/// Beats for as long as each beat is answered at once. Whoever stops is missed.
async fn beat(mut client: Client, number: u16, _held: Frames, expiry: Arc<Mutex<Expiry>>) {
    let (lease, id) = (lease_of(number), format!("r{number}").parse().unwrap());
    loop {
        let sent = Instant::now();
        let Ok(Some(StatusCode::OK)) = timeout(AT_ONCE, client.beat(&lease)).await else { return };
        expiry.lock().beaten(&id, sent, Instant::now());
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started by another test, with a small disk of its own"]
async fn on_a_small_disk() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let mut world = World::new(&disk).await;
    world.says(None).await;

    let ballast = disk.join("ballast");
    let full = fs::write(&ballast, vec![7; 8 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    let begun = Instant::now();
    let refused = join_all((0..8).map(|number| {
        let mut client = world.process.client();
        async move {
            let call = registration(&format!("refused{number}"), 100 + number, None);
            let answer = client.refused(&call).await.expect("it answers");
            (answer, begun.elapsed())
        }
    }));
    for ((status, reason), took) in refused.await {
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{reason}");
        assert!(reason.contains("the disk is full") && reason.contains("it may yet be done"), "{reason}");
        // What has waited for five seconds is told then.
        assert!(took < Duration::from_secs(6), "{took:?}");
    }
    world.says(Some("the disk is full")).await;

    // What is read goes on, for longer than a lease lasts.
    let (verified, mut looks) = (world.watcher.look(|fold| fold.verified), 0);
    while begun.elapsed() < Duration::from_secs(9) || world.watcher.look(|fold| fold.verified) == verified {
        let mut client = world.process.client();
        let listing = timeout(AT_ONCE, client.list("ratings")).await.expect("a list at once");
        world.acknowledged.is_in(&listing);
        assert_eq!(listing.instances.len(), usize::from(LIVING) + 1, "who was not acknowledged is not shown");
        let mut frames = timeout(AT_ONCE, client.watch(None)).await.expect("a watch at once").unwrap();
        let mut fold = Fold::default();
        fold.take(timeout(AT_ONCE, frames.change()).await.expect("a snapshot at once").unwrap());
        fold.agrees_with(&listing);
        looks += 1;
        sleep(Duration::from_millis(100)).await;
        assert!(begun.elapsed() < SOON, "no bookmark");
    }
    world.watcher.look(|fold| assert_eq!((fold.gone, fold.doubtful), (0, 0), "nobody expires meanwhile"));
    world.expiry.lock().stood_still(begun, Instant::now());

    // And when there is room it goes on by itself, with all that has waited.
    fs::remove_file(ballast).unwrap();
    let freed = Instant::now();
    world.register("later", 200, None).await;
    let took = freed.elapsed();
    world.says(None).await;
    world.watcher.until("the mute one has gone", |fold| !fold.instances.keys().any(|id| id.as_str() == "mute")).await;
    world.watcher.look(|fold| {
        let is_there = |number: u16| fold.instances.contains_key(&format!("r{number}").parse().unwrap());
        assert!((1..=LIVING).all(is_there), "who beats is there: {fold:?}");
    });
    world.expiry.lock().nobody_is_late(Instant::now());
    println!(
        "8 changes refused after 5 s; {looks} lists and watches meanwhile; kept again {took:?} after there was room"
    );
}
