//! One connection, with the statements that it has prepared.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};
use tracing::debug;

use crate::Error;

/// How long until a database that is away is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// What is acknowledged is on disk, whatever the server's default is; and nothing goes on whose caller has given up.
const SETTINGS: &str = "SET synchronous_commit = on; SET statement_timeout = 5000; SET lock_timeout = 4500";

pub(super) struct Connection {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
}

pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Connection {
    /// Connects, as often as it takes until the deadline.
    pub(super) async fn open(config: &Config, until: Instant) -> Result<Self, Error> {
        loop {
            let error = match timeout_at(until, Self::try_open(config)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => error,
                Err(_) => return Err(Error::unavailable("the database has not answered in time")),
            };
            let hopeless = error.code().is_some_and(|code| !comes_back(code));
            if hopeless || Instant::now() + AGAIN >= until {
                return Err(Error::unavailable("the database cannot be reached").because(error));
            }
            sleep(AGAIN).await;
        }
    }

    async fn try_open(config: &Config) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = config.connect(NoTls).await?;
        // It ends with the client, or with the server.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(target: "mainstay::records", "a connection to the database has ended: {error}");
            }
        });
        client.batch_execute(SETTINGS).await?;
        Ok(Self { client, statements: Mutex::default() })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Executes a statement: what it returns.
    pub(super) async fn query(&self, sql: &'static str, of: Parameters<'_>) -> Result<Vec<Row>, Error> {
        let statement = self.prepared(sql).await?;
        self.client.query(&statement, of).await.map_err(failed)
    }

    /// Executes a statement: how many rows it has changed.
    pub(super) async fn execute(&self, sql: &'static str, of: Parameters<'_>) -> Result<u64, Error> {
        let statement = self.prepared(sql).await?;
        self.client.execute(&statement, of).await.map_err(failed)
    }

    async fn prepared(&self, sql: &'static str) -> Result<Statement, Error> {
        let known = self.statements.lock().get(sql).cloned();
        match known {
            Some(statement) => Ok(statement),
            None => {
                let statement = self.client.prepare(sql).await.map_err(failed)?;
                self.statements.lock().insert(sql, statement.clone());
                Ok(statement)
            }
        }
    }

    /// Executes statements that return nothing.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await.map_err(failed)
    }
}

/// Is a server that says so there again by itself?
fn comes_back(code: &SqlState) -> bool {
    [SqlState::CANNOT_CONNECT_NOW, SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::TOO_MANY_CONNECTIONS]
        .contains(code)
}

/// What PostgreSQL says, in this crate's words.
pub(super) fn failed(error: tokio_postgres::Error) -> Error {
    let why = match error.code() {
        Some(&SqlState::DISK_FULL) => Error::full("the database's disk is full"),
        Some(&SqlState::UNTRANSLATABLE_CHARACTER) => Error::bad("there is a character that the database cannot store"),
        Some(code) if comes_back(code) => Error::unavailable("the database has gone; it may have been written"),
        Some(&SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE) => super::late(),
        Some(_) => Error::unavailable("the database has failed"),
        None => Error::unavailable("the connection to the database has broken; it may have been written"),
    };
    why.because(error)
}
