//! Mainstay, as the README shows it, with the contract's own policy.

use std::net::SocketAddr;

use mainstay::contracts::ratings::{GetRating, Rating, Ratings};
use mainstay::{Address, Client};

use crate::Failed;
use crate::end_to_end::work::Caller;

pub(crate) struct Ours {
    client: Client<Ratings>,
}

pub(crate) fn callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Ours>, Failed> {
    let client = Client::builder().fixed(addresses.iter().copied().map(Address::from)).build()?;
    Ok((0..tasks).map(|_| Ours { client: client.clone() }).collect())
}

impl Caller for Ours {
    async fn call(&mut self, thing: &str) -> Result<Rating, Failed> {
        let fetched = self.client.call(GetRating::new(thing)).await?;
        match fetched.reason() {
            None => Ok(fetched.value),
            Some(why) => Err(format!("the last good value, as {why}").into()),
        }
    }
}
