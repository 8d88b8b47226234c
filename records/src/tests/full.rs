//! A full disk: a small one, which only a process of its own sees, so that nothing of it stays.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::post::Post;
use super::world::new_id;
use crate::{Ending, New, Records};

const DISK: &str = "MAINSTAY_TEST_DISK";

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let this = module_path!().split_once("::").unwrap().1;
    let script = "mount -t tmpfs -o size=4m tmpfs \"$1\" || exit 77
                  exec \"$2\" --exact \"$3\" --ignored --nocapture";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", script, "sh"]).arg(directory.path());
    command.arg(std::env::current_exe().unwrap()).arg(format!("{this}::on_a_small_disk"));
    let done = command.env(DISK, directory.path()).stdin(Stdio::null()).output();
    let Ok(done) = done else { return println!("skipped: there is no unshare here") };
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    if said.contains("unshare failed") || done.status.code() == Some(77) {
        return println!("skipped: no disk may be mounted here: {said}");
    }
    print!("{said}");
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "it is started by another test, with a small disk of its own"]
async fn on_a_small_disk() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let records =
        Records::open_with(&format!("sqlite:{}/records.db", disk.display()), Post::new().outlet()).await.unwrap();
    let request = "x".repeat(10_000);
    let mut begun = Vec::new();
    let error = loop {
        match records.begin(New::of("sums", &request).unwrap()).await {
            Ok(new) => begun.push(new_id(new)),
            Err(error) => break error,
        }
        assert!(begun.len() < 1000);
    };
    assert!(error.is_full() && error.to_string().contains("the disk is full"), "{error:?}");
    println!("{} requests of 10 kB, then: {error}", begun.len());
    let error = records.finish(&begun[0], Ending::complete().result(&request).unwrap()).await.unwrap_err();
    assert!(error.is_full(), "{error:?}");

    // What was acknowledged is there, and everything goes on by itself once there is room.
    assert_eq!(records.history("sums", SystemTime::now(), 1000).await.unwrap().len(), begun.len());
    std::fs::remove_file(ballast).unwrap();
    assert!(records.finish(&begun[0], Ending::complete().result(&request).unwrap()).await.unwrap());
    begun.push(new_id(records.begin(New::of("sums", &request).unwrap()).await.unwrap()));
    let found = records.history("sums", SystemTime::now(), 1000).await.unwrap();
    assert_eq!(found.iter().rev().map(|record| &*record.id).collect::<Vec<_>>(), begun);
}
