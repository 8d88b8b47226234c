//! Brings a database to what this program knows: one numbered file after the other.

use super::connection::Connection;
use super::in_time;
use super::pool::Pool;
use crate::{Error, time};

/// In their order; a database has had the first so many of them.
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/postgres/0001_records.sql")];

/// The lock is that several programs that start together do not migrate at the same time; its number is arbitrary.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(7239012547821);
    CREATE SCHEMA IF NOT EXISTS mainstay;
    CREATE TABLE IF NOT EXISTS mainstay.migration (number bigint PRIMARY KEY, applied bigint NOT NULL);";

pub(super) async fn migrate(pool: &Pool) -> Result<(), Error> {
    in_time(async {
        // Whatever fails here ends the connection, and with it the transaction.
        let connection = Connection::open(&pool.config(), super::deadline()).await?;
        connection.batch(BEGIN).await?;
        let rows = connection.query("SELECT coalesce(max(number), 0) FROM mainstay.migration", &[]).await?;
        let had: i64 = rows.first().map_or(0, |row| row.get(0));
        let knows = MIGRATIONS.len() as i64;
        if had > knows {
            let why = "a newer one has written it";
            return Err(Error::foreign(format!(
                "the database has had {had} migrations, and this program knows {knows}: {why}"
            )));
        }
        for (number, sql) in (1_i64..).zip(MIGRATIONS).skip(had.unsigned_abs() as usize) {
            connection.batch(sql).await?;
            let applied = time::to_micros(time::now());
            connection
                .execute("INSERT INTO mainstay.migration (number, applied) VALUES ($1, $2)", &[&number, &applied])
                .await?;
        }
        connection.batch("COMMIT").await
    })
    .await
}
