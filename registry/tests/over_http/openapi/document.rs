//! The document, as far as tests look into it.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::collections::BTreeSet;

use serde_json::{Map, Value};

pub(super) const TEXT: &str = include_str!("../../../openapi.json");

pub(super) struct Document(Value);

/// One method of one path.
pub(super) struct Operation<'a> {
    document: &'a Document,
    pub(super) method: String,
    pub(super) path: &'a str,
    value: &'a Value,
}

impl Document {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(TEXT).unwrap())
    }

    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let all = paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |entry| (path, entry)));
        let operations = all.filter(|(_, (name, _))| *name != "parameters").map(|(path, (method, value))| {
            let method = method.to_uppercase();
            Operation { document: self, method, path, value }
        });
        operations.collect()
    }

    pub(super) fn schema(&self, name: &str) -> &Value {
        &self.0["components"]["schemas"][name]
    }

    /// What a reference refers to; anything else is itself.
    fn target<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value["$ref"].as_str() else { return value };
        let target = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
        target.unwrap_or_else(|| panic!("{reference} is not there"))
    }

    /// Every field of an object, with its schema, and which of them it must have.
    pub(super) fn fields<'a>(&'a self, schema: &'a Value) -> (Map<String, Value>, BTreeSet<String>) {
        let schema = self.target(schema);
        let mut fields = schema["properties"].as_object().cloned().unwrap_or_default();
        let mut required: BTreeSet<String> =
            schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let (more, needed) = self.fields(part);
            fields.extend(more);
            required.extend(needed);
        }
        (fields, required)
    }

    /// Panics unless every object in the value has the fields that its schema says, and no others.
    pub(super) fn check(&self, schema: &Value, value: &Value, what: &str) {
        let schema = self.target(schema);
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.check(&schema["items"], item, what)),
            Value::Object(object) => {
                let (fields, required) = self.fields(schema);
                for name in required {
                    assert!(object.contains_key(&name), "{what}: no {name} in {value}");
                }
                // Without any, it is a map, or not described further.
                for (name, value) in object.iter().filter(|_| !fields.is_empty()) {
                    let field = fields.get(name).unwrap_or_else(|| panic!("{what}: {name} is not described"));
                    self.check(field, value, what);
                }
            }
            _ => {}
        }
    }
}

impl Operation<'_> {
    fn answer(&self) -> (&str, &Value) {
        let (media, content) = self.value["responses"]["200"]["content"].as_object().unwrap().iter().next().unwrap();
        (media, &content["schema"])
    }

    pub(super) fn media(&self) -> &str {
        self.answer().0
    }

    pub(super) fn answer_schema(&self) -> &Value {
        self.answer().1
    }

    pub(super) fn is_stream(&self) -> bool {
        ["application/x-ndjson", "text/event-stream"].contains(&self.media())
    }

    /// Every example of a body; an empty one, where there need be none.
    pub(super) fn bodies(&self) -> Vec<String> {
        let body = &self.value["requestBody"];
        let content = &body["content"]["application/json"];
        let several = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        let examples = content.get("example").into_iter().chain(several).map(Value::to_string);
        let none = (body["required"] != true).then(String::new);
        let bodies: Vec<_> = examples.chain(none).collect();
        assert!(body.is_null() || content.is_object() && bodies.len() > usize::from(body["required"] != true));
        bodies
    }

    /// The path with its examples, and with those of the query.
    pub(super) fn path_with_examples(&self) -> String {
        let (mut path, mut query) = (self.path.to_owned(), Vec::new());
        let of_path = &self.document.0["paths"][self.path]["parameters"];
        for parameter in [of_path, &self.value["parameters"]].into_iter().flat_map(|list| list.as_array()).flatten() {
            let parameter = self.document.target(parameter);
            let name = parameter["name"].as_str().unwrap();
            match (parameter["in"].as_str(), parameter["example"].as_str()) {
                (Some("path"), Some(example)) => path = path.replace(&format!("{{{name}}}"), example),
                (Some("query"), Some(example)) => query.push(format!("{name}={example}")),
                (Some("query"), None) => {}
                other => panic!("{name} of {}: {other:?}", self.path),
            }
        }
        assert!(!path.contains('{'), "{path}");
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}
