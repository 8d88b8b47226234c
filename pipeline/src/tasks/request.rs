//! A task, as its JSON says it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::{RawValue, to_raw_value};

use super::{KINDS, Kind, Number};

/// The longest name of a property in a reason: nobody reads further.
const SHOWN: usize = 40;

/// A task: an object of exactly two properties, whose names begin with the letter of one kind.
#[derive(Debug, Clone)]
pub struct Request {
    kind: &'static Kind,
    operands: Operands,
    canonical: Box<RawValue>,
}

/// In order of their names.
#[derive(Debug, Clone)]
enum Operands {
    Texts([String; 2]),
    Numbers([Number; 2]),
}

impl Request {
    /// Reads a task.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(body: &[u8]) -> Result<Self, BadTask> {
        let Properties(mut properties) = serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Data => BadTask("a task is an object, such as {\"a1\":5,\"a2\":10}".to_owned()),
            _ => BadTask(format!("not JSON: {error}")),
        })?;
        properties.sort_by(|a, b| a.0.cmp(&b.0));
        let count = properties.len();
        let Ok([(first, one), (second, other)]) = <[_; 2]>::try_from(properties) else {
            return Err(BadTask(format!("a task has exactly two properties, not {count}")));
        };
        if first == second {
            return Err(BadTask(format!("{} is there twice", shown(&first))));
        }
        let kind = kind(&first)?;
        if kind.letter != self::kind(&second)?.letter {
            let why = format!("{} and {} are of different kinds", shown(&first), shown(&second));
            return Err(BadTask(why));
        }
        let operands = match (Operand::read(&first, &one)?, Operand::read(&second, &other)?) {
            (Operand::Text(a), Operand::Text(b)) => Operands::Texts([a, b]),
            (Operand::Number(a), Operand::Number(b)) => Operands::Numbers([a, b]),
            _ => {
                let why = format!(
                    "{} and {} are a number and a text: both are one or the other",
                    shown(&first),
                    shown(&second)
                );
                return Err(BadTask(why));
            }
        };
        let canonical = operands.canonical([first, second]).map_err(|error| BadTask(error.to_string()))?;
        Ok(Self { kind, operands, canonical })
    }

    /// The task as JSON, the same for all that are identical: in order of the names, without spaces, and a number written
    /// in one way only.
    pub fn canonical(&self) -> &RawValue {
        &self.canonical
    }

    /// Does the task.
    ///
    /// # Errors
    /// Says why it cannot be done.
    pub fn run(self) -> Result<String, String> {
        match self.operands {
            Operands::Texts(texts) => Ok(texts.concat()),
            Operands::Numbers([a, b]) => Ok((self.kind.function)(a, b)?.finite()?.to_string()),
        }
    }
}

impl Operands {
    fn canonical(&self, names: [String; 2]) -> serde_json::Result<Box<RawValue>> {
        let values = match self {
            Self::Texts([a, b]) => [to_raw_value(a)?, to_raw_value(b)?],
            Self::Numbers([a, b]) => [RawValue::from_string(a.to_string())?, RawValue::from_string(b.to_string())?],
        };
        // A map by name, and so in order.
        to_raw_value(&BTreeMap::from_iter(names.into_iter().zip(values)))
    }
}

fn kind(name: &str) -> Result<&'static Kind, BadTask> {
    let letter = name.chars().next();
    KINDS.iter().find(|kind| Some(kind.letter) == letter).ok_or_else(|| {
        let known: Vec<_> = KINDS.iter().map(|kind| format!("{} {}", kind.letter, kind.name)).collect();
        BadTask(format!("{} begins with the letter of no kind; there are: {}", shown(name), known.join(", ")))
    })
}

fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(SHOWN).collect::<String>())
}

enum Operand {
    Text(String),
    Number(Number),
}

impl Operand {
    fn read(name: &str, value: &RawValue) -> Result<Self, BadTask> {
        let value = value.get();
        let other = match value.as_bytes().first() {
            Some(b'"') => {
                let text = serde_json::from_str(value);
                return text.map(Self::Text).map_err(|error| BadTask(format!("{}: {error}", shown(name))));
            }
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'n') => "null",
            Some(b't' | b'f') => value,
            _ => {
                return Number::read(value).map(Self::Number).map_err(|why| BadTask(format!("{}: {why}", shown(name))));
            }
        };
        Err(BadTask(format!("{} is {other}, neither a number nor a text", shown(name))))
    }
}

/// The properties of an object, as they stand there.
struct Properties(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Properties;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
                let mut properties = Vec::new();
                while let Some(property) = map.next_entry()? {
                    properties.push(property);
                }
                Ok(Properties(properties))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// It is no task; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTask(String);

impl fmt::Display for BadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadTask {}

#[cfg(test)]
mod tests;
