//! Style, script and icon, embedded in the executable.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::response::{IntoResponse as _, Response};

use super::Refused;

static ASSETS: [(&str, &str, &str); 3] = [
    ("market.css", "text/css; charset=utf-8", include_str!("../../assets/market.css")),
    ("market.js", "text/javascript; charset=utf-8", include_str!("../../assets/market.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

/// One of them. Browsers keep it, and ask each time whether it is still the same: the next executable may
/// bring another.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Refused> {
    let (_, kind, text) = ASSETS
        .iter()
        .find(|(asset, ..)| *asset == name)
        .ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "there is nothing at this address"))?;
    let tag = tag(text);
    let same = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let caching = [(header::CACHE_CONTROL, "no-cache".to_owned()), (header::ETAG, tag)];
    Ok(if same {
        (StatusCode::NOT_MODIFIED, caching).into_response()
    } else {
        (caching, [(header::CONTENT_TYPE, *kind)], *text).into_response()
    })
}

fn tag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
