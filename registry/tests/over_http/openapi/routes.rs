//! Nothing is answered that the document does not name, and nothing is named that is not answered.

use std::collections::BTreeSet;

use http::Method;
use mainstay_contracts::Call;
use mainstay_contracts::registry::{
    Beat, BeatLease, Deregister, Drain, EndLease, HOLD, HOLD_LEASE, Inspect, List, Look, Register, Release, Services,
    Undrain, WATCH,
};

use super::document::Document;

/// What adds the routes. Routers do not tell what they have, and a list kept beside one for a test alone would be
/// production code that nobody runs.
const SOURCE: &str = include_str!("../../../src/http.rs");

macro_rules! calls {
    ($($call:ident),*) => { [$((stringify!($call), $call::METHOD, $call::ROUTE)),*] };
}

#[test]
fn every_route_is_in_the_document_and_no_other() {
    let calls = calls![Beat, BeatLease, Deregister, Drain, EndLease, Inspect, List, Look, Register, Release, Undrain];
    let constants =
        [("HOLD", HOLD), ("HOLD_LEASE", HOLD_LEASE), ("WATCH", WATCH), ("Services::ROUTE", Services::ROUTE)];
    let after = |mark: &'static str| SOURCE.split(mark).skip(1);

    let added: BTreeSet<&str> = after("route::<").filter_map(|rest| rest.split('>').next()).collect();
    assert_eq!(added, calls.iter().map(|(name, ..)| *name).collect(), "calls of the contract");
    let contract = calls.into_iter().map(|(_, method, route)| (method, route));

    let others = after(".route(").map(|rest| {
        let (path, handler) = rest.split_once(", ").unwrap();
        let method = if handler.starts_with("get(") { Method::GET } else { Method::POST };
        let line = handler.lines().next().unwrap();
        assert!((line.starts_with("get(") || line.starts_with("post(")) && !line.contains(")."), "one method: {line}");
        let named = constants.iter().find(|(name, _)| *name == path).map(|(_, route)| *route);
        (method, named.unwrap_or_else(|| path.trim_matches('"')))
    });
    let answered: BTreeSet<_> = contract.chain(others).map(|(method, route)| format!("{method} {route}")).collect();
    let document = Document::read();
    let operations = document.operations();
    assert_eq!(operations.iter().map(|at| format!("{} {}", at.method, at.path)).collect::<BTreeSet<_>>(), answered);
}
