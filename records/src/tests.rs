//! What holds of every store: each test runs over SQLite, and over a PostgreSQL of its own.

mod bad;
mod begin;
mod finish;
mod full;
#[cfg(feature = "postgres")]
mod killed;
mod list;
mod load;
mod open;
mod outbox;
mod post;
mod process;
mod replies;
mod server;
mod world;

/// Tests of every store.
macro_rules! of_every_store {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $test() { super::$test(crate::tests::world::World::sqlite().await).await; })+
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test] async fn $test() {
                if let Some(world) = crate::tests::world::World::postgres().await {
                    super::$test(world).await;
                }
            })+
        }
    };
}
use of_every_store;
