//! The page, and the forms of its cart.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::json;

use super::{App, Refused, Shared, form};
use crate::cart::{Cart, CartRefused, Order};
use crate::catalog::THINGS;
use crate::state;
use crate::view;

/// `GET /`
pub(super) async fn page(State(app): Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let asks = |what: &str| query.split('&').any(|pair| pair == what);
    if asks("json=true") {
        let ids = THINGS.iter().map(|thing| thing.id).collect::<Vec<_>>();
        return Json(json!({ "thingIDs": ids })).into_response();
    }
    if !asks("still") {
        app.market.turn_page().await;
    }
    draw(&app, &cart_of(&headers), "")
}

/// `POST /` and `POST /cart`: carries out the order and draws the page with what came of it. Nobody is called.
pub(super) async fn cart(State(app): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    form::only(&headers, "the cart")?;
    let mut cart = cart_of(&headers);
    let done = Order::from_form(&body).and_then(|order| cart.apply(&order));
    Ok(match done {
        Ok(message) => {
            let cookie = [(header::SET_COOKIE, cart.to_cookie())];
            (cookie, draw(&app, &cart, message)).into_response()
        }
        Err(refused) => (status(&refused), draw(&app, &cart, &refused.to_string())).into_response(),
    })
}

fn draw(app: &App, cart: &Cart, message: &str) -> Response {
    Html(view::page(&state::State::of(&app.market), cart, message)).into_response()
}

fn cart_of(headers: &HeaderMap) -> Cart {
    let cookie = headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok());
    cookie.map(Cart::from_cookie).unwrap_or_default()
}

fn status(refused: &CartRefused) -> StatusCode {
    match refused {
        CartRefused::Unclear(_) => StatusCode::BAD_REQUEST,
        CartRefused::Unknown(_) => StatusCode::NOT_FOUND,
        CartRefused::AlreadyIn | CartRefused::NotIn | CartRefused::Empty => StatusCode::CONFLICT,
    }
}
