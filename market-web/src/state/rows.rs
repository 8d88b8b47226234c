//! The instances of all kinds.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::instance::{self, InstanceNow};
use super::work::Work;
use super::{Duration, millis};
use crate::kind::Kind;
use crate::market::Market;

/// The instances of all kinds, in the kinds' order. As JSON: a list for each kind, and one of all services that have one
/// instance.
#[derive(Debug)]
pub(crate) struct Rows(Vec<OfKind>);

/// What the client of a kind knows. Each watches the registry for itself.
#[derive(Debug)]
struct OfKind {
    kind: Kind,
    registry: Option<RegistryNow>,
    instances: Vec<InstanceNow>,
}

/// The registry, as a client sees it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct RegistryNow {
    pub(crate) reachable: bool,
    #[serde(rename = "age_ms", serialize_with = "millis")]
    pub(crate) age: Option<Duration>,
}

impl Rows {
    /// Nobody, in the plain shop.
    pub(super) fn of(market: &Market) -> Self {
        let work = Work::of(market);
        let known = |kind| {
            let Some(clients) = market.clients() else { return OfKind { kind, registry: None, instances: Vec::new() } };
            let known = clients.snapshot(kind);
            let registry = known.registry.as_ref();
            let registry = registry.map(|view| RegistryNow { reachable: view.reachable, age: Some(view.age) });
            OfKind { kind, registry, instances: instance::all(market, kind, &known, &work) }
        };
        Self(Kind::ALL.map(known).into())
    }

    /// The instances of a kind, by number.
    pub(crate) fn instances(&self, kind: Kind) -> &[InstanceNow] {
        self.find(kind).map_or(&[], |of| &of.instances)
    }

    /// The registry, as the client of a kind sees it.
    pub(crate) fn registry(&self, kind: Kind) -> Option<RegistryNow> {
        self.find(kind)?.registry
    }

    fn find(&self, kind: Kind) -> Option<&OfKind> {
        self.0.iter().find(|of| of.kind == kind)
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for of in self.0.iter().filter(|of| !of.kind.is_single()) {
            map.serialize_entry(of.kind.rows, &of.instances)?;
        }
        let services = self.0.iter().filter(|of| of.kind.is_single()).flat_map(|of| &of.instances);
        map.serialize_entry("services", &services.collect::<Vec<_>>())?;
        map.end()
    }
}
