//! A request as its body says it.

use mainstay::contracts::quotes::Submit;
use mainstay::serve::Refused;
use serde_json::{Map, Value};

/// The longest field, in characters: it is shown on a page.
const LONGEST: usize = 200;

/// Reads a request: an object with texts `from`, `to` and `customer`. Whatever else is in it, an id too, is ignored.
pub(super) fn read(body: &[u8]) -> Result<Submit, Refused> {
    let said = serde_json::from_slice(body).map_err(|error| Refused::bad_request(format!("not JSON: {error}")))?;
    let Value::Object(said) = said else {
        return Err(Refused::bad_request("not an object with from, to and customer"));
    };
    let [from, to, customer] = ["from", "to", "customer"].map(|name| text(&said, name));
    Ok(Submit { from: from?, to: to?, customer: customer? })
}

fn text(said: &Map<String, Value>, name: &str) -> Result<String, Refused> {
    let why = match said.get(name) {
        None | Some(Value::Null) => "is missing",
        Some(Value::String(text)) if text.trim().is_empty() => "is blank",
        Some(Value::String(text)) if text.chars().count() > LONGEST => "has more than 200 characters",
        Some(Value::String(text)) if text.chars().any(char::is_control) => "has a control character",
        Some(Value::String(text)) => return Ok(text.clone()),
        Some(_) => "is not a text",
    };
    Err(Refused::bad_request(format!("{name} {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whatever_else_is_said() {
        let ride = Submit::new("Frankfurt", "Las Vegas", "cmr");
        for body in [
            r#"{"from":"Frankfurt","to":"Las Vegas","customer":"cmr"}"#,
            r#"{"rfq-id":"7","id":7,"customer":"cmr","to":"Las Vegas","from":"Frankfurt","asked":["me"],"state":"closed"}"#,
        ] {
            assert_eq!(read(body.as_bytes()), Ok(ride.clone()), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = format!(r#"{{"from":"F","to":"L","customer":"{}"}}"#, "x".repeat(LONGEST + 1));
        for (body, why) in [
            ("", "not JSON"),
            ("ride", "not JSON"),
            (r#"{"from":"F","#, "not JSON"),
            ("[]", "not an object with from, to and customer"),
            ("null", "not an object"),
            ("{}", "from is missing"),
            (r#"{"to":"L","customer":"c"}"#, "from is missing"),
            (r#"{"from":"F","customer":"c"}"#, "to is missing"),
            (r#"{"from":"F","to":"L"}"#, "customer is missing"),
            (r#"{"from":null,"to":"L","customer":"c"}"#, "from is missing"),
            (r#"{"from":7,"to":"L","customer":"c"}"#, "from is not a text"),
            (r#"{"from":"F","to":["L"],"customer":"c"}"#, "to is not a text"),
            (r#"{"from":"F","to":" ","customer":"c"}"#, "to is blank"),
            (r#"{"from":"F","to":"L\u0000","customer":"c"}"#, "to has a control character"),
            (&long, "customer has more than 200 characters"),
        ] {
            let refused = read(body.as_bytes()).unwrap_err();
            let said = format!("{refused:?}");
            assert!(said.contains(why) && said.contains("400"), "{body}: {said} does not say {why:?}");
        }
    }
}
