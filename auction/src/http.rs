//! The auction over HTTP; the crate's documentation says what is answered.

mod asked;
mod lot;
mod refused;

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};
use mainstay::Call as _;
use mainstay::contracts::auction::SetAuction;
use tracing::info;

use self::asked::Asked;
pub(crate) use self::asked::LONGEST_DEADLINE_MS;
use self::refused::Refused;
use crate::elsewhere::health;
use crate::report::Report;
use crate::{Auctioneer, Award, Ending, json};

/// Everything that the service answers.
pub(crate) fn router(auctioneer: Auctioneer) -> Router {
    Router::new()
        .route(SetAuction::ROUTE, post(set_auction))
        .route("/health", get(health))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(auctioneer)
}

async fn set_auction(
    State(auctioneer): State<Auctioneer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    if !json::is_json(&headers) {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, json::WANTED));
    }
    let Asked { terms, detail } = query.as_deref().unwrap_or_default().parse()?;
    let lot = lot::read(&body)?;
    let (ending, report) = match auctioneer.open(lot, terms).await {
        Ok(bidding) => {
            let award = Award::of(&bidding.whole().await);
            info!("{}: {}, took {} ms", award.reason(), award.summary, award.elapsed.as_millis());
            (award.ending, Report::of(&award, terms))
        }
        Err(error) => {
            let why = auctioneer.why_nobody(&error);
            info!("{why}");
            (Ending::Unheard, Report::of_nobody(why, terms, error.elapsed()))
        }
    };
    let status = match ending {
        Ending::Won => StatusCode::OK,
        Ending::NoBid => StatusCode::NOT_FOUND,
        Ending::Unheard | Ending::NoQuorum => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = match detail {
        true => (status, Json(report)).into_response(),
        false => (status, Json(report.result)).into_response(),
    };
    if status == StatusCode::SERVICE_UNAVAILABLE
        && let Some(retest) = auctioneer.retest_in()
    {
        response.headers_mut().insert(RETRY_AFTER, whole_seconds(retest).into());
    }
    Ok(response)
}

/// Rounded up, and never 0: who comes back too early has come for nothing.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).max(1) as u64
}

async fn unknown_path(uri: Uri) -> Refused {
    Refused::new(StatusCode::NOT_FOUND, format!("nothing at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_come_back_is_asked_in_whole_seconds_and_not_too_early() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (29_500, 30), (30_000, 30)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis}");
        }
    }
}
