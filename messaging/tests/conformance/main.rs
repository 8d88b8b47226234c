//! The same cases against every engine: what an application sees is the same, whatever keeps its messages.
//!
//! Each case has an engine of its own, in a directory of its own and on a free port, which ends with the case. NATS is
//! left out, with a word about it, where there is no `nats-server`, unless `MAINSTAY_REQUIRE_ENGINES=1`.
//! `MAINSTAY_NATS_SERVER` names another one than that of the `PATH`.

#[cfg(test)]
mod cases;
#[cfg(test)]
#[cfg(feature = "nats")]
mod rounds;
#[cfg(test)]
mod server;
#[cfg(test)]
mod support;

/// A test for each case, against one engine.
#[cfg(test)]
macro_rules! conforms {
    ($name:ident: $start:expr, $($file:ident :: { $($case:ident),* $(,)? }),* $(,)?) => {
        mod $name {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(server) = $start().await {
                        crate::support::in_time(crate::cases::$file::$case(server)).await;
                    }
                }
            )*)*
        }
    };
}

/// What holds for every engine.
#[cfg(test)]
macro_rules! conforms_alive {
    ($name:ident: $server:ty) => {
        conforms!($name: <$server as crate::server::Server>::start,
            sharing::{
                every_channel_gets_a_copy,
                consumers_share_a_channel,
                what_is_for_one_channel_goes_to_no_other,
                one_publisher_is_consumed_in_order,
                a_consumer_has_no_more_at_once_than_it_asked_for,
            },
            redelivery::{
                unsettled_it_comes_again,
                extended_it_stays_invisible,
                not_acknowledged_it_comes_again_after_the_backoff,
                a_late_settlement_is_refused,
                settled_twice_it_is_settled,
            },
            dead::{
                after_so_many_tries_it_is_a_dead_letter,
                never_settled_it_is_a_dead_letter,
                rejected_it_is_a_dead_letter,
                what_cannot_be_read_is_a_dead_letter,
            },
            publishing::{
                one_id_is_one_message,
                unknown_topics_and_channels_are_told,
                a_long_message_passes_and_a_longer_one_is_refused,
                hundreds_at_once_are_all_taken,
            },
            asking::{
                replies_find_whoever_asked,
                a_foreign_reply_is_ignored,
                a_request_without_a_reply_ends_in_time,
                a_reply_to_somebody_who_is_gone_is_no_error,
            },
        );
    };
}

/// What holds for an engine with bounds that can be set.
#[cfg(test)]
macro_rules! conforms_full {
    ($name:ident: $server:ty) => {
        conforms!($name: <$server as crate::server::Bounded>::start_small,
            full::{ a_dead_consumer_fills_its_topic_and_no_more },
        );
    };
}

/// What holds for an engine in a process of its own, killed and started again.
#[cfg(test)]
macro_rules! conforms_killed {
    ($name:ident: $server:ty) => {
        conforms!($name: <$server as crate::server::Server>::start,
            killed::{
                what_was_taken_is_there_after_a_kill,
                a_waiting_consumer_goes_on_after_a_kill,
                asking_goes_on_after_a_kill,
                killed_while_publishing_each_is_there_once,
                killed_while_consuming_none_is_lost,
                killed_while_rejecting_each_is_one_dead_letter,
            },
        );
    };
}

#[cfg(test)]
conforms_alive!(embedded: crate::server::embedded::Embedded);

#[cfg(test)]
conforms_alive!(hub: crate::server::hub::Hub);
#[cfg(test)]
conforms_full!(hub_full: crate::server::hub::Hub);
#[cfg(test)]
conforms_killed!(hub_killed: crate::server::hub::Hub);

#[cfg(all(test, feature = "nats"))]
conforms_alive!(nats: crate::server::nats::Nats);
#[cfg(all(test, feature = "nats"))]
conforms_full!(nats_full: crate::server::nats::Nats);
#[cfg(all(test, feature = "nats"))]
conforms_killed!(nats_killed: crate::server::nats::Nats);

#[cfg(all(test, feature = "nats"))]
mod nats_rounds {
    use crate::rounds::rounds;
    use crate::server::{Server, nats::Nats};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn killed_in_three_rounds_nothing_is_lost() {
        if let Some(mut server) = Nats::start().await {
            rounds(&mut server, 3).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "takes a minute"]
    async fn killed_in_twenty_rounds_nothing_is_lost() {
        if let Some(mut server) = Nats::start().await {
            rounds(&mut server, 20).await;
        }
    }
}
