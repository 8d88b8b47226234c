//! What can be opened.

use rusqlite::Connection;

use super::of_every_store;
use super::post::Post;
use super::world::{Keeper, World, sum};
use crate::{Error, Records};

of_every_store!(what_was_written_is_there_when_it_is_opened_again, a_newer_database_is_refused);

async fn open(url: &str) -> Result<Records, Error> {
    Records::open_with(url, Post::new().outlet()).await
}

async fn what_was_written_is_there_when_it_is_opened_again(world: World) {
    let id = world.begun(sum().asks(2).shared_as("5+10").waiter("r", "1").step("received", "me")).await;
    world.records.reply(&id, "one", &1).await.unwrap();
    let before = world.get(&id).await;
    let World { records, url, keeper, .. } = world;
    drop(records);
    let after = open(&url).await.unwrap().get(&id).await.unwrap().unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    drop(keeper);
}

async fn a_newer_database_is_refused(world: World) {
    let World { records, url, keeper, .. } = world;
    drop(records);
    match &keeper {
        Keeper::Sqlite(_) => {
            let database = Connection::open(url.trim_start_matches("sqlite:")).unwrap();
            database.execute("INSERT INTO migration VALUES (1000, 0)", []).unwrap();
        }
        Keeper::Postgres(server) => {
            let name = url.rsplit('/').next().unwrap();
            server.execute(name, "INSERT INTO mainstay.migration VALUES (1000, 0)");
        }
    }
    let error = open(&url).await.unwrap_err();
    assert!(error.is_foreign() && error.to_string().contains("a newer one has written it"), "{error}");
}

#[tokio::test]
async fn what_is_no_url_is_refused() {
    for (url, why) in [
        ("", "this says neither"),
        ("records.db", "this says neither"),
        ("sqlite:", "sqlite:PATH"),
        ("sqlite::memory:", "sqlite:PATH"),
        ("mysql://root:secret@localhost/records", "not at \"mysql\""),
        ("postgres://localhost:port/records", "the URL of the database is wrong"),
        ("postgres://localhost/records?sslmode=require", "requires TLS"),
    ] {
        let error = open(url).await.unwrap_err();
        assert!(error.is_bad() && error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    std::fs::write(&path, "no database at all, but long enough to have a header of its own: ".repeat(100)).unwrap();
    let error = open(&format!("sqlite:{}", path.display())).await.unwrap_err();
    assert!(error.is_foreign() && error.to_string().contains("no SQLite database"), "{error}");
    let beneath = format!("sqlite:{}/x/records.db", path.display());
    assert!(open(&beneath).await.unwrap_err().to_string().contains("cannot be made"));
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    Connection::open(&path).unwrap().execute("CREATE TABLE record (name TEXT)", []).unwrap();
    let error = open(&format!("sqlite:{}", path.display())).await.unwrap_err();
    assert!(error.is_foreign() && error.to_string().contains("another program's"), "{error}");
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    assert_eq!(Connection::open(&path).unwrap().query_row(tables, [], |row| row.get(0)), Ok(1));
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_server_that_is_away_is_said_to_be() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let begun = tokio::time::Instant::now();
    let error = open(&format!("postgres://postgres@{nobody}/records")).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("cannot be reached"), "{error}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(6));
}
