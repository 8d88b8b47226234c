//! What programs ask for.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::shown::{self, Shown};
use super::{Refused, Shared};
use crate::catalog;
use crate::state;
use crate::tab::Tab;

/// `GET /api/state`
pub(super) async fn state(State(app): Shared) -> Json<state::State> {
    Json(state::State::of(&app.market))
}

/// `POST /api/refresh`
pub(super) async fn refresh(State(app): Shared) -> Json<state::State> {
    app.market.turn_page().await;
    Json(state::State::of(&app.market))
}

/// `GET /events?for=ratings`
pub(super) async fn events(State(app): Shared, shown: Shown) -> Result<Response, Refused> {
    let tab = shown::read(shown, Tab::Shop)?;
    let full = || Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too many live pages are open; reload to see news");
    app.live.stream(tab).ok_or_else(full)
}

/// `GET /thing/{id}`: one call, for its rating.
pub(super) async fn thing(State(app): Shared, id: Result<Path<String>, PathRejection>) -> Result<Json<Value>, Refused> {
    let Path(id) = id.map_err(|bad| Refused::new(bad.status(), bad.body_text()))?;
    let thing = catalog::find(&id)?;
    let rated = app.market.ask(thing.id).await.and_then(|asked| asked.rated);
    Ok(Json(json!({
        "id": thing.id,
        "title": thing.title,
        "price": thing.price.to_string(),
        "price_cents": thing.price,
        "blurb": thing.blurb,
        "description": thing.description,
        "warnings": thing.warnings,
        "rating": rated.map(|rated| rated.stars),
    })))
}
