//! Answering the calls of a contract: the serving side's half of [`contracts::wire`](crate::contracts::wire).

mod ended;
mod leased;
mod server;
mod traffic;

use std::future::Future;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, RawPathParamsRejection};
use axum::extract::{RawPathParams, RawQuery};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::StatusCode;
use mainstay_contracts::{Call, Refusal, wire};

pub use self::ended::ended;
pub use self::leased::run_leased;
pub use self::server::{Limits, run};

/// Answers call `C`. Its method and types come from the contract; so does its route:
///
/// ```
/// use axum::Router;
/// use mainstay::Call;
/// use mainstay::contracts::ratings::{GetRating, Rating, Stars};
/// use mainstay::serve::{self, Refused};
///
/// async fn get_rating(call: GetRating) -> Result<Rating, Refused> {
///     let rating = Stars::new(4.5).filter(|_| call.thing == "camera");
///     let rating = rating.ok_or_else(|| Refused::not_found(format!("no rating of {}", call.thing)))?;
///     Ok(Rating { thing: call.thing, rating })
/// }
///
/// let router: Router = Router::new().route(GetRating::ROUTE, serve::call(get_rating));
/// ```
///
/// A request that does not fit the call is answered with 400 and the reason.
///
/// # Panics
/// When the contract's method is not one of HTTP's own.
pub fn call<C, H, F, S>(handler: H) -> MethodRouter<S>
where
    C: Call,
    H: Fn(C) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<C::Response, Refused>> + Send + 'static,
    S: Clone + Send + Sync + 'static,
{
    on(method::<C>(), async move |params: Params, RawQuery(query): RawQuery, body: Body| -> Response {
        match read(params, query.as_deref(), body) {
            Ok(call) => handler(call).await.map(Json).into_response(),
            Err(refused) => refused.into_response(),
        }
    })
}

type Params = Result<RawPathParams, RawPathParamsRejection>;
type Body = Result<Bytes, BytesRejection>;

fn read<C: Call>(params: Params, query: Option<&str>, body: Body) -> Result<C, Refused> {
    let params = params.map_err(|bad| Refused::new(bad.status(), bad.body_text()))?;
    let body = body.map_err(|bad| Refused::new(bad.status(), bad.body_text()))?;
    let params: Vec<_> = params.iter().collect();
    wire::decode(&params, query, &body).map_err(|error| Refused::bad_request(error.to_string()))
}

fn method<C: Call>() -> MethodFilter {
    match MethodFilter::try_from(C::METHOD) {
        Ok(method) => method,
        Err(_) => panic!("{} is not a method that can be routed", C::METHOD),
    }
}

/// A call is refused, and why: answered as `{"reason": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    status: StatusCode,
    refusal: Refusal,
}

impl Refused {
    /// Refuses with this status.
    pub fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, refusal: Refusal::new(reason) }
    }

    /// 400: the call is wrong in itself.
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// 404: what was asked for is not there.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(self.refusal)).into_response()
    }
}
