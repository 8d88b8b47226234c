//! The body of a request: a JSON object whose keys are written in any case, with `_` or without.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::answer::No;

/// What of an object has not been read yet: by a common form of its key, with the key as it was written.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, (String, Value)>);

impl Fields {
    pub(super) fn of_body(body: &[u8]) -> Result<Self, No> {
        let object = serde_json::from_slice(body);
        Self::new(
            object.map_err(|error| No::bad(format!("Request decode failed: the body is no JSON object: {error}")))?,
        )
    }

    pub(super) fn new(object: Map<String, Value>) -> Result<Self, No> {
        let mut fields = BTreeMap::new();
        for (key, value) in object {
            let common = common(&key);
            if is_nothing(&value) {
                continue;
            }
            if let Some((other, _)) = fields.insert(common, (key.clone(), value)) {
                return Err(No::bad(format!(
                    "the body has {:?} and {:?}, which are the same",
                    short(&key),
                    short(&other)
                )));
            }
        }
        Ok(Self(fields))
    }

    /// Says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(&common(key))
    }

    /// What is said under a key. What says nothing, such as an empty text, is not said.
    pub(super) fn take<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, No> {
        let Some((written, value)) = self.0.remove(&common(key)) else { return Ok(None) };
        let read = serde_json::from_value(value);
        read.map(Some).map_err(|error| No::bad(format!("Request decode failed: {}: {error}", short(&written))))
    }

    /// Refuses what nobody has read.
    pub(super) fn end(self) -> Result<(), No> {
        match self.0.into_values().next() {
            None => Ok(()),
            Some((key, _)) => Err(No::bad(format!("{:?} is not supported here", short(&key)))),
        }
    }
}

fn common(key: &str) -> String {
    key.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

fn short(key: &str) -> String {
    key.chars().take(60).collect()
}

/// What clients write in place of leaving it out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::of_body(text.as_bytes()).unwrap()
    }

    #[test]
    fn keys_are_read_in_any_case() {
        for text in [r#"{"ServiceID":"a"}"#, r#"{"serviceid":"a"}"#, r#"{"service_id":"a"}"#, r#"{"SERVICE_ID":"a"}"#] {
            assert_eq!(fields(text).take::<String>("ServiceID").unwrap().as_deref(), Some("a"), "{text}");
        }
        let twice = Fields::of_body(br#"{"ID":"a","id":"b"}"#).unwrap_err();
        assert!(format!("{twice:?}").contains("the same"));
    }

    #[test]
    fn what_says_nothing_is_not_there_and_what_nobody_reads_is_refused() {
        let nothing = r#"{"Kind":"","Proxy":null,"Connect":{"Native":false},"Checks":[],"Port":0}"#;
        assert!(fields(nothing).is_empty());
        let mut some = fields(r#"{"Name":"a","Proxy":{"x":1}}"#);
        some.take::<String>("name").unwrap();
        assert!(format!("{:?}", some.end().unwrap_err()).contains("Proxy"));
    }
}
