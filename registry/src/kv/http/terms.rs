//! The body that a session is asked for with: a JSON object, whose keys may be written in any case.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::consul::{No, duration};
use crate::kv::{Behavior, Terms};

/// The check that Consul binds every session to, and that clients therefore name.
const NODE_CHECK: &str = "serfHealth";
const TEXT: usize = 512;
const LONGEST_TTL: Duration = Duration::from_secs(86_400);
const LOCK_DELAY: Duration = Duration::from_secs(15);
const LONGEST_LOCK_DELAY: Duration = Duration::from_secs(60);

/// A session that says no other is at this node.
pub(super) fn read(body: &[u8], here: &str) -> Result<Terms, No> {
    let body = body.trim_ascii();
    let fields: Map<String, Value> = match body {
        [] => Map::new(),
        body => {
            serde_json::from_slice(body).map_err(|error| No::bad(format!("the body is no JSON object: {error}")))?
        }
    };
    let mut fields = Fields::new(fields)?;
    let text = |text: Option<String>, name: &str| match text.unwrap_or_default() {
        text if text.len() > TEXT => Err(No::bad(format!("{name} is longer than {TEXT} bytes"))),
        text => Ok(text),
    };
    let name = text(fields.take("Name")?, "Name")?;
    let node = Some(text(fields.take("Node")?, "Node")?).filter(|node| !node.is_empty());
    let ttl = ttl(fields.take("TTL")?)?;
    let lock_delay = lock_delay(fields.take("LockDelay")?.as_ref())?;
    let behavior = match fields.take::<String>("Behavior")?.as_deref() {
        None | Some("" | "release") => Behavior::Release,
        Some("delete") => Behavior::Delete,
        Some(_) => return Err(No::bad("Behavior must be release or delete")),
    };
    for checks in ["Checks", "NodeChecks", "ServiceChecks"] {
        let checks: Vec<Value> = fields.take(checks)?.unwrap_or_default();
        if let Some(check) = checks.iter().find(|check| *check != NODE_CHECK) {
            let start: String = check.to_string().chars().take(80).collect();
            return Err(No::bad(format!(
                "check {start} cannot end a session here: only its TTL can, or to destroy it"
            )));
        }
    }
    fields.is_read()?;
    Ok(Terms { name, node: node.unwrap_or_else(|| here.to_owned()), ttl, behavior, lock_delay })
}

fn ttl(said: Option<String>) -> Result<Option<Duration>, No> {
    let said = said.filter(|said| !said.is_empty());
    let ttl = said.map(|said| duration::parse(&said).ok_or_else(|| No::bad("TTL is no length of time, such as 10s")));
    match ttl.transpose()? {
        Some(ttl) if ttl > LONGEST_TTL => Err(No::bad(format!("TTL is {ttl:?}, but must be at most {LONGEST_TTL:?}"))),
        ttl => Ok(ttl.filter(|ttl| !ttl.is_zero())),
    }
}

/// In words, or in seconds; from 1000 on in nanoseconds, as sessions tell it.
fn lock_delay(said: Option<&Value>) -> Result<Duration, No> {
    let delay = match said {
        None => Some(LOCK_DELAY),
        Some(Value::String(text)) if text.is_empty() => Some(LOCK_DELAY),
        Some(Value::String(text)) => duration::parse(text),
        Some(number) => {
            number.as_u64().map(|it| if it < 1000 { Duration::from_secs(it) } else { Duration::from_nanos(it) })
        }
    };
    let delay = delay.ok_or_else(|| No::bad("LockDelay is no length of time, such as 15s or 15"))?;
    if delay > LONGEST_LOCK_DELAY {
        return Err(No::bad(format!("LockDelay is {delay:?}, but must be at most {LONGEST_LOCK_DELAY:?}")));
    }
    Ok(delay)
}

/// Fields by their names in lower case.
struct Fields(Map<String, Value>);

impl Fields {
    fn new(fields: Map<String, Value>) -> Result<Self, No> {
        let mut lower = Map::new();
        for (name, value) in fields {
            let shown: String = name.chars().take(40).collect();
            if lower.insert(name.to_ascii_lowercase(), value).is_some() {
                return Err(No::bad(format!("field {shown:?} is there twice")));
            }
        }
        Ok(Self(lower))
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, No> {
        let value = self.0.remove(&name.to_ascii_lowercase()).unwrap_or_default();
        serde_json::from_value(value).map_err(|error| No::bad(format!("{name}: {error}")))
    }

    /// Refuses what nobody has taken.
    fn is_read(&self) -> Result<(), No> {
        match self.0.keys().next() {
            Some(name) => {
                let shown: String = name.chars().take(40).collect();
                Err(No::bad(format!("field {shown:?} is not supported here")))
            }
            None => Ok(()),
        }
    }
}
