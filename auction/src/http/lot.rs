//! What is to be sold, as the request's body says it.

use mainstay::contracts::bidding::Ask;
use serde_json::Value;

use super::refused::Refused;

/// The lot: an object with texts `Item` and `Condition`; whatever else is in it, others may care about.
pub(super) fn read(body: &[u8]) -> Result<Ask, Refused> {
    let payload: Value =
        serde_json::from_slice(body).map_err(|_| Refused::bad_request("Invalid payload - Not a valid JSON payload"))?;
    let text = |name| payload.get(name)?.as_str().filter(|text| !text.trim().is_empty());
    match (text("Item"), text("Condition")) {
        (Some(item), Some(condition)) => Ok(Ask::new(item, condition)),
        _ => Err(Refused::bad_request("Bad Request - Invalid Payload")),
    }
}
