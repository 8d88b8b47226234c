//! What bidders answer.

use std::future::pending;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use mainstay::contracts::bidding::{Ask, Bid, Offer};
use mainstay::serve::{self, Refused};
use tokio::time::sleep;

use super::{Bidder, Manner};
use crate::elsewhere::{self, elsewhere};

/// Everything that these bidders answer on their one listener.
pub(super) fn router(bidders: Vec<Bidder>) -> Router {
    elsewhere(bidders.into_iter().fold(Router::new(), |router, bidder| {
        let (path, bidder) = (bidder.path(), Arc::new(bidder));
        let looked_after = Arc::clone(&bidder);
        let asked = match bidder.manner.clone() {
            Manner::Says(body) => post(async move || says(&bidder, body).await),
            _ => serve::call(move |ask| bid(Arc::clone(&bidder), ask)),
        };
        router
            .route(&format!("{path}/health"), get(async move || health(&looked_after.manner).await))
            .route(&path, asked)
    }))
}

async fn bid(bidder: Arc<Bidder>, ask: Ask) -> Result<Offer, Refused> {
    sleep(bidder.delay).await;
    misbehave(&bidder.manner).await?;
    match bidder.bids.amount(&ask.condition) {
        Some(amount) => Ok(Bid { bidder: bidder.name(), amount }.into()),
        None => Err(Refused::not_found("not wanted in this condition")),
    }
}

async fn says(bidder: &Bidder, body: String) -> Response {
    sleep(bidder.delay).await;
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn health(manner: &Manner) -> Response {
    match misbehave(manner).await {
        Ok(()) => elsewhere::health().await.into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn misbehave(manner: &Manner) -> Result<(), Refused> {
    match manner {
        Manner::Bids | Manner::Says(_) => Ok(()),
        Manner::Silent => pending().await,
        Manner::Fails => Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "it fails, as it was told to")),
    }
}
