//! The document's types are those of the contract.

use std::collections::BTreeSet;

use mainstay_contracts::Refusal;
use mainstay_contracts::registry::{
    Beat, Beaten, Deregistered, Doubt, Drain, Drained, GoneReason, HoldFrame, HoldLease, Inspected, Inspection,
    Instance, LeaseEnded, Listed, Listing, Overview, Presence, Register, Registered, Release, Released, ServiceNames,
    ServiceOverview, Undrained, WatchFrame,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::document::Document;

fn keys(object: &Map<String, Value>) -> BTreeSet<String> {
    object.keys().cloned().collect()
}

/// Reads it as the type, and writes it.
fn written<T: Serialize + DeserializeOwned>(name: &str, said: &Value) -> Map<String, Value> {
    let value = serde_json::from_value::<T>(said.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let Ok(Value::Object(object)) = serde_json::to_value(value) else { panic!("{name} is not an object") };
    object
}

/// The example has every field and is what serde writes; what is required is what serde always writes.
fn answer<T: Serialize + DeserializeOwned>(name: &str) {
    let document = Document::read();
    let example = &document.schema(name)["example"];
    let (fields, required) = document.fields(document.schema(name));
    let full = written::<T>(name, example);
    assert_eq!(keys(&full), keys(&fields), "{name}: fields");
    assert_eq!(Value::from(full.clone()), *example, "{name}: example");
    let least = full.into_iter().filter(|(field, _)| required.contains(field)).collect::<Map<_, _>>();
    assert_eq!(keys(&written::<T>(name, &least.into())), required, "{name}: required");
}

/// The example has every field; it can be read without those that are not required, unless the path says them.
fn request<T: Serialize + DeserializeOwned>(name: &str, in_path: &[&str]) {
    let document = Document::read();
    let (fields, required) = document.fields(document.schema(name));
    let Some(example) = document.schema(name)["example"].as_object() else { panic!("{name} has no example") };
    assert_eq!(keys(&written::<T>(name, &document.schema(name)["example"])), keys(&fields), "{name}: fields");
    for field in example.keys() {
        let mut less = example.clone();
        less.remove(field);
        let needed = required.contains(field) || in_path.contains(&field.as_str());
        assert_eq!(serde_json::from_value::<T>(less.into()).is_err(), needed, "{name}: {field}");
    }
    assert_eq!(document.schema(name)["additionalProperties"], false, "{name}");
}

#[test]
fn answers_are_what_serde_writes() {
    answer::<Refusal>("Refusal");
    answer::<Registered>("Registered");
    answer::<Beaten>("Beaten");
    answer::<Deregistered>("Deregistered");
    answer::<Drained>("Drained");
    answer::<Undrained>("Undrained");
    answer::<Released>("Released");
    answer::<LeaseEnded>("LeaseEnded");
    answer::<Instance>("Instance");
    answer::<Listed>("Listed");
    answer::<Listing>("Listing");
    answer::<ServiceNames>("ServiceNames");
    answer::<Overview>("Overview");
    answer::<ServiceOverview>("ServiceOverview");
    answer::<Doubt>("Doubt");
    answer::<Inspection>("Inspection");
    answer::<Inspected>("Inspected");
}

#[test]
fn requests_are_what_serde_reads() {
    request::<Register>("Register", &["service", "id"]);
    request::<Beat>("Beat", &["service", "id"]);
    request::<Drain>("Drain", &["service", "id"]);
    request::<Release>("Release", &["service"]);
    request::<HoldLease>("OfLease", &["lease"]);
}

#[test]
fn lines_of_streams_are_what_serde_writes() {
    let document = Document::read();
    for (frames, check) in [("WatchFrame", answer::<WatchFrame> as fn(&str)), ("HoldFrame", answer::<HoldFrame>)] {
        let mapping = document.schema(frames)["discriminator"]["mapping"].as_object().unwrap();
        for (kind, reference) in mapping {
            let name = reference.as_str().and_then(|reference| reference.rsplit('/').next()).unwrap();
            check(name);
            assert_eq!(document.schema(name)["example"]["type"], kind.as_str(), "{name}");
        }
        assert_eq!(mapping.len(), document.schema(frames)["oneOf"].as_array().unwrap().len(), "{frames}");
    }
}

#[test]
fn words_are_those_of_the_contract() {
    let document = Document::read();
    for word in document.schema("Presence")["enum"].as_array().unwrap() {
        serde_json::from_value::<Presence>(word.clone()).unwrap();
    }
    for word in document.schema("GoneReason")["examples"].as_array().unwrap() {
        assert_ne!(serde_json::from_value::<GoneReason>(word.clone()).unwrap(), GoneReason::Unknown, "{word}");
    }
}
