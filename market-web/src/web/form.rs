//! Bodies that are forms.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};

use super::Refused;

const FORM: &str = "application/x-www-form-urlencoded";

/// Whether the body says that it is a form.
pub(super) fn is_one(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM)
}

/// The longest that a person may write into a field.
const LONGEST: usize = 100;

/// What a field says. It stands in console lines, so it is short and holds no line breaks.
pub(super) fn line(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        Err(format!("{what} is missing."))
    } else if text.chars().count() > LONGEST {
        Err(format!("{what} has more than {LONGEST} characters."))
    } else if text.chars().any(char::is_control) {
        Err(format!("{what} is not one line of text."))
    } else {
        Ok(text.to_owned())
    }
}

/// Refuses a body that is none.
pub(super) fn only(headers: &HeaderMap, taker: &str) -> Result<(), Refused> {
    if is_one(headers) {
        return Ok(());
    }
    Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{taker} takes forms: {FORM}")))
}
