//! A body, with the fields that the path says, as one: read without making a tree of it.
//!
//! Both are told field by field to whoever reads the call. A tree would have to be built, changed and taken apart again,
//! which costs more than the reading.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::scalar;

/// Reads a call from a JSON object and what the path says.
pub(super) fn read<T: DeserializeOwned>(params: &[(&str, &str)], body: &[u8]) -> serde_json::Result<T> {
    let mut body = serde_json::Deserializer::from_slice(body);
    let call = T::deserialize(Both { body: &mut body, params })?;
    body.end()?;
    Ok(call)
}

/// What is read: the object, or whoever looks at it.
struct Both<'a, B> {
    body: B,
    params: &'a [(&'a str, &'a str)],
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Both<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.body.deserialize_map(Both { body: visitor, params: self.params })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Both<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what the call's type is called in here.
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, body: A) -> Result<V::Value, A::Error> {
        self.body.visit_map(Fields { body, unsaid: self.params.to_vec(), param: None })
    }
}

/// The fields of the body, and then those that only the path says.
struct Fields<'a, A> {
    body: A,
    /// What the body has not said so far.
    unsaid: Vec<(&'a str, &'a str)>,
    /// What the path says of the field whose value is next, and whether the body says it too.
    param: Option<((&'a str, &'a str), bool)>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        let name = Name { seed: &mut seed, unsaid: &mut self.unsaid, param: &mut self.param };
        if let Some(key) = self.body.next_key_seed(name)? {
            return Ok(Some(key));
        }
        let (Some(param), Some(seed)) = (self.unsaid.pop(), seed) else { return Ok(None) };
        self.param = Some((param, false));
        seed.deserialize(param.0.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let value = match self.param.take() {
            None => return self.body.next_value_seed(seed),
            Some(((_, value), false)) => Value::from(value),
            Some(((name, value), true)) => {
                let said = self.body.next_value()?;
                if scalar(name, &said).map_err(Error::custom)?.as_deref() != Some(value) {
                    return Err(Error::custom(format!("{name} is {said} in the body, but {value:?} in the path")));
                }
                said
            }
        };
        seed.deserialize(value).map_err(Error::custom)
    }
}

/// The name of a field of the body, which the path may say as well.
struct Name<'a, 'b, K> {
    /// Taken by the name, if there is one.
    seed: &'b mut Option<K>,
    unsaid: &'b mut Vec<(&'a str, &'a str)>,
    param: &'b mut Option<((&'a str, &'a str), bool)>,
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<'_, '_, K> {
    type Value = K::Value;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<K::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Name<'_, '_, K> {
    type Value = K::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<K::Value, E> {
        let place = self.unsaid.iter().position(|(param, _)| *param == name);
        *self.param = place.map(|place| (self.unsaid.swap_remove(place), true));
        let seed = self.seed.take().ok_or_else(|| E::custom("a field has two names"))?;
        seed.deserialize(name.into_deserializer())
    }
}
