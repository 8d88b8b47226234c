//! The process that is killed: this test program again, with one of its tests alone.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use mainstay_messaging::{Messages, Rules};
use tokio::time::sleep;

use crate::relay::Outlet;
use crate::tests::world::{Sum, asking, message};
use crate::{Ending, Records};

const URL: &str = "MAINSTAY_TEST_RECORDS";
const TO: &str = "MAINSTAY_TEST_TO";
const DIRECTORY: &str = "MAINSTAY_TEST_DIRECTORY";
/// Of what is begun, and of what waiters are told, so that each message is in it once.
pub(super) const CHANNEL: &str = "work";

/// Where its messages go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum To {
    /// None of them leaves.
    Nowhere,
    /// Into a file, as to a post that lives on.
    File,
    /// Into messages, which are killed with it.
    Messages,
}

/// What has gone into the file.
pub(super) fn ledger(directory: &Path) -> Vec<String> {
    let ledger = fs::read_to_string(directory.join("ledger")).unwrap_or_default();
    ledger.lines().map(str::to_owned).collect()
}

/// Where the messages are.
pub(super) fn messages(directory: &Path) -> String {
    format!("embedded:{}/messages", directory.display())
}

/// Starts it, and kills it once it has begun so many requests: those begun, and those finished.
pub(super) async fn killed(url: &str, to: To, directory: &Path, after: usize) -> (Vec<String>, Vec<String>) {
    let this = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("{this}::the_process_that_is_killed"), "--ignored", "--nocapture"]);
    command.env(URL, url).env(TO, format!("{to:?}")).env(DIRECTORY, directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    tokio::task::spawn_blocking(move || read(Process(command.spawn().unwrap()), after)).await.unwrap()
}

fn read(mut process: Process, after: usize) -> (Vec<String>, Vec<String>) {
    let (mut begun, mut finished) = (Vec::new(), Vec::new());
    for line in BufReader::new(process.0.stdout.take().unwrap()).lines() {
        match line.unwrap().split_once(' ') {
            Some(("begun", id)) => begun.push(id.to_owned()),
            Some(("finished", id)) => finished.push(id.to_owned()),
            _ => {}
        }
        if begun.len() == after {
            process.0.kill().unwrap();
        }
    }
    assert!(begun.len() >= after, "it ended after {}", begun.len());
    (begun, finished)
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "it is started by others, and killed"]
async fn the_process_that_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).unwrap());
    let records = match &*std::env::var(TO).unwrap() {
        "Messages" => Records::open(&url, declared(&messages(&directory)).await).await,
        "File" => Records::open_with(&url, writing(&directory.join("ledger"))).await,
        _ => Records::open_with(&url, Arc::new(|_| std::future::pending().boxed())).await,
    };
    let records = records.unwrap();
    println!();
    // It ends with whoever has started it, and soon in any case.
    let alone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        _ = join_all((0..32).map(|_| work(records.clone()))) => {}
        _ = alone => {}
        () = sleep(Duration::from_secs(60)) => {}
    }
}

async fn work(records: Records) {
    loop {
        let new = asking().waiter(CHANNEL, "1");
        let id = new.id().to_owned();
        records.begin(new).await.unwrap();
        println!("begun {id}");
        records.step(&id, "dispatched", "me").await.unwrap();
        let told = message(&format!("told-{id}"));
        assert!(records.finish(&id, Ending::complete().tell(told)).await.unwrap());
        println!("finished {id}");
    }
}

async fn declared(url: &str) -> Messages {
    let messages = Messages::open(url).await.unwrap();
    messages.declare::<Sum>(CHANNEL, Rules::default()).await.unwrap();
    messages
}

/// A post that takes a moment, and that has a message for good once it has taken it.
fn writing(path: &Path) -> Outlet {
    let ledger = Arc::new(File::options().create(true).append(true).open(path).unwrap());
    Arc::new(move |envelope| {
        let ledger = Arc::clone(&ledger);
        async move {
            sleep(Duration::from_micros(RandomState::new().hash_one(&envelope.id) % 3000)).await;
            (&*ledger).write_all(format!("{}\n", envelope.id).as_bytes()).unwrap();
            Ok(())
        }
        .boxed()
    })
}
