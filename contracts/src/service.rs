//! A service is a type; a call is a type that belongs to one service.

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Policy;

/// A service's contract: what it is called, and how its clients behave.
///
/// ```
/// use std::time::Duration;
/// use mainstay_contracts::{Policy, Service};
///
/// struct Stock;
///
/// impl Service for Stock {
///     const NAME: &'static str = "stock";
///     const POLICY: Policy = Policy::builder().timeout(Duration::from_secs(2)).build_const();
/// }
/// ```
pub trait Service: Send + Sync + 'static {
    /// The name it is registered and found by: 1 to 63 of `a-z`, `0-9` and `-`, starting with a letter.
    const NAME: &'static str;

    /// How every client of this service behaves unless told otherwise.
    const POLICY: Policy = Policy::DEFAULT;
}

/// One call of one service: its request is `Self`, its response is [`Call::Response`].
///
/// `ROUTE` is a path in which `{field}` stands for the field of that name. Without a request body
/// (`GET`, `DELETE`, `HEAD`) the other fields are the query; with one, the whole call is the JSON body.
/// [`wire`](crate::wire) holds both directions.
///
/// ```
/// use mainstay_contracts::{Call, Method, Service};
/// use serde::{Deserialize, Serialize};
///
/// struct Stock;
/// impl Service for Stock {
///     const NAME: &'static str = "stock";
/// }
///
/// /// How many of a thing are there?
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Count { thing: String }
///
/// impl Call for Count {
///     type Service = Stock;
///     type Response = u32;
///     const METHOD: Method = Method::GET;
///     const ROUTE: &'static str = "/stock/{thing}";
/// }
/// ```
pub trait Call: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The service that answers it. A client of another service does not compile.
    type Service: Service;

    /// What a successful answer's JSON body holds.
    type Response: Serialize + DeserializeOwned + Send + 'static;

    /// The HTTP method.
    const METHOD: Method;

    /// The path, with `{field}` for a field of the call, of which it may name eight. A route whose braces are not in
    /// pairs does not compile, as soon as anybody encodes a call.
    const ROUTE: &'static str;
}
