//! How a [`Call`] becomes an HTTP request and comes back out of one.
//!
//! Both directions stand side by side, so that client and server cannot drift: a client runs
//! [`encode`], a server [`decode`], and neither writes a path, a query or a body by hand.

mod fields;
mod route;

use std::error::Error;
use std::fmt;

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::route::Route;
use crate::Call;

/// What of a call goes into the request, besides its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Path and query.
    pub target: String,
    /// The JSON body, if the method has one; empty, if the path says it all.
    pub body: Option<Vec<u8>>,
}

/// Everything but the unreserved characters of RFC 3986, 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Bytes that most calls without a body fit into.
const FORM: usize = 64;

/// Turns a call into a request.
///
/// # Errors
/// When a field that the route or the query needs is missing, empty, or neither text, number nor bool.
pub fn encode<C: Call>(call: &C) -> Result<Encoded, BadCall> {
    let route = const { &Route::of(C::ROUTE) };
    if !has_body(&C::METHOD) {
        return Ok(Encoded { target: route.fill(&form_of(call)?)?, body: None });
    }
    if !route.has_fields() {
        return whole(call);
    }
    let Value::Object(fields) = tree(call)? else { return Err(not_a_struct()) };
    let said = route.names().map(|name| Ok((name, scalar(name, fields.get(name).unwrap_or(&Value::Null))?)));
    let form = form_of(&said.collect::<Result<Vec<_>, _>>()?)?;
    // A text can be read from the path as well.
    let in_path = |(name, value): (&String, &Value)| value.is_string() && route.names().any(|other| other == name);
    let body = if fields.iter().all(in_path) { Ok(Vec::new()) } else { serde_json::to_vec(call) };
    let body = body.map_err(|error| BadCall(error.to_string()))?;
    Ok(Encoded { target: route.fill(&form)?, body: Some(body) })
}

/// `name=value&…`, percent-encoded, without the fields that are `None`.
fn form_of(fields: &impl Serialize) -> Result<String, BadCall> {
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(FORM));
    match fields.serialize(serde_urlencoded::Serializer::new(&mut form)).map(|form| form.finish()) {
        // A form may write a space as a plus, a path may not.
        Ok(form) if form.bytes().any(|byte| byte == b'+') => Ok(form.replace('+', "%20")),
        Ok(form) => Ok(form),
        Err(error) => match tree(fields)? {
            Value::Null => Ok(String::new()),
            Value::Object(fields) => {
                fields.iter().try_for_each(|(name, value)| scalar(name, value).map(drop))?;
                Err(BadCall(error.to_string()))
            }
            _ => Err(not_a_struct()),
        },
    }
}

fn tree(fields: &impl Serialize) -> Result<Value, BadCall> {
    serde_json::to_value(fields).map_err(|error| BadCall(error.to_string()))
}

/// All of the call is the body, so that no field is looked at by itself.
fn whole<C: Call>(call: &C) -> Result<Encoded, BadCall> {
    let body = serde_json::to_vec(call).map_err(|error| BadCall(error.to_string()))?;
    match body.first() {
        // A struct, or one without fields, or one that holds a list.
        Some(b'{' | b'[' | b'n') => Ok(Encoded { target: C::ROUTE.to_owned(), body: Some(body) }),
        _ => Err(not_a_struct()),
    }
}

fn not_a_struct() -> BadCall {
    BadCall("a call must be a struct with named fields, or hold a list".to_owned())
}

/// Turns a request back into its call: `params` are the route's fields with their decoded values.
///
/// [`encode`] puts all fields into a body, unless all are texts that the path says; whoever writes one by hand may leave
/// out each of those.
///
/// # Errors
/// When a field is missing or of the wrong type, or when path and body contradict each other.
pub fn decode<C: Call>(params: &[(&str, &str)], query: Option<&str>, body: &[u8]) -> Result<C, BadCall> {
    if has_body(&C::METHOD) { from_body(params, body) } else { from_query(params, query) }
}

/// As [`decode`], for what is asked with a body and is not answered as a [`Call`] is. No body is one without fields.
///
/// # Errors
/// As those of [`decode`].
pub fn from_body<T: DeserializeOwned>(params: &[(&str, &str)], body: &[u8]) -> Result<T, BadCall> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    if params.is_empty() {
        return serde_json::from_slice(body).map_err(|error| BadCall(error.to_string()));
    }
    fields::read(params, body).map_err(|error| BadCall(error.to_string()))
}

/// As [`decode`], for what is asked without a body and is not answered as a [`Call`] is.
///
/// # Errors
/// As those of [`decode`].
pub fn from_query<T: DeserializeOwned>(params: &[(&str, &str)], query: Option<&str>) -> Result<T, BadCall> {
    let pair = |(name, value): &(&str, &str)| {
        format!("{}={}", utf8_percent_encode(name, SEGMENT), utf8_percent_encode(value, SEGMENT))
    };
    let mut pairs = params.iter().map(pair).collect::<Vec<_>>();
    pairs.extend(query.map(str::to_owned));
    serde_urlencoded::from_str(&pairs.join("&")).map_err(|error| BadCall(error.to_string()))
}

fn has_body(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::DELETE)
}

fn scalar(name: &str, value: &Value) -> Result<Option<String>, BadCall> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        Value::Array(_) | Value::Object(_) => Err(BadCall(format!("{name} must be text, a number or a bool"))),
    }
}

/// A call does not fit its route, or a request does not fit its call; says which field and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCall(String);

impl fmt::Display for BadCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadCall {}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::Service;

    struct Shelf;
    impl Service for Shelf {
        const NAME: &'static str = "shelf";
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Find {
        row: u32,
        thing: String,
        limit: Option<u32>,
    }
    impl Call for Find {
        type Service = Shelf;
        type Response = ();
        const METHOD: Method = Method::GET;
        const ROUTE: &'static str = "/rows/{row}/{thing}";
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Put {
        thing: String,
        labels: Vec<String>,
    }
    impl Call for Put {
        type Service = Shelf;
        type Response = ();
        const METHOD: Method = Method::PUT;
        const ROUTE: &'static str = "/things/{thing}";
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Tell {
        thing: String,
        labels: Vec<String>,
    }
    impl Call for Tell {
        type Service = Shelf;
        type Response = ();
        const METHOD: Method = Method::POST;
        const ROUTE: &'static str = "/tell";
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Bare(u32);
    impl Call for Bare {
        type Service = Shelf;
        type Response = ();
        const METHOD: Method = Method::POST;
        const ROUTE: &'static str = "/bare";
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Count {
        rows: Vec<u32>,
    }
    impl Call for Count {
        type Service = Shelf;
        type Response = ();
        const METHOD: Method = Method::POST;
        const ROUTE: &'static str = "/count";
    }

    #[test]
    fn a_call_may_be_a_list() {
        let encoded = encode(&Count { rows: vec![3, 1] }).unwrap();
        assert_eq!(encoded.body.as_deref(), Some(b"[3,1]".as_slice()));
        assert_eq!(decode::<Count>(&[], None, b" [3, 1]"), Ok(Count { rows: vec![3, 1] }));
        assert!(decode::<Count>(&[], None, br#"{"rows":[3]}"#).is_err());
    }

    #[test]
    fn without_a_field_in_the_route_the_call_is_the_body() {
        let tell = Tell { thing: "a \"b\"".to_owned(), labels: vec!["new".to_owned()] };
        let encoded = encode(&tell).unwrap();
        assert_eq!(encoded.target, "/tell");
        assert_eq!(encoded.body.as_deref(), Some(br#"{"thing":"a \"b\"","labels":["new"]}"#.as_slice()));
        assert_eq!(decode::<Tell>(&[], None, &encoded.body.unwrap()), Ok(tell));
        assert!(encode(&Bare(7)).unwrap_err().to_string().contains("struct with named fields"));
    }

    fn find(thing: &str, limit: Option<u32>) -> Find {
        Find { row: 3, thing: thing.to_owned(), limit }
    }

    #[test]
    fn fields_fill_the_route_and_the_rest_is_the_query() {
        assert_eq!(encode(&find("camera", None)).unwrap().target, "/rows/3/camera");
        assert_eq!(encode(&find("a/b ü?&", Some(7))).unwrap().target, "/rows/3/a%2Fb%20%C3%BC%3F%26?limit=7");
    }

    #[test]
    fn a_call_comes_back_as_it_went() {
        for call in [find("camera", None), find("a/b ü?&=+%", Some(7))] {
            let encoded = encode(&call).unwrap();
            let query = encoded.target.split_once('?').map(|(_, query)| query);
            assert_eq!(decode::<Find>(&[("row", "3"), ("thing", &call.thing)], query, b""), Ok(call));
        }
        let put = Put { thing: "x".to_owned(), labels: vec!["new".to_owned()] };
        let body = encode(&put).unwrap().body.unwrap();
        assert_eq!(decode::<Put>(&[("thing", "x")], None, &body), Ok(put));
    }

    #[test]
    fn path_and_body_are_read_as_one() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Within {
            a: u32,
            b: Option<u32>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Whole {
            thing: Option<String>,
            row: Option<u32>,
            #[serde(flatten)]
            within: Within,
        }
        let read = |body: &str| from_body::<Whole>(&[("thing", "x"), ("row", "7")], body.as_bytes());
        let whole = Whole { thing: Some("x".to_owned()), row: Some(7), within: Within { a: 1, b: None } };
        assert_eq!(read(r#"{"a":1,"row":7}"#), Ok(whole));
        for (body, why) in [
            (r#"{"a":1}"#, "invalid type: string \"7\""),
            (r#"{"a":1,"row":7,"row":7}"#, "duplicate field `row`"),
            (r#"{"a":1,"row":7} 8"#, "trailing"),
            (r#"{"row":7}"#, "missing field `a`"),
            (r#"{"a":1,"row":[7]}"#, "row must be text, a number or a bool"),
            (r#"{"a":1,"row":null}"#, "row is null in the body, but \"7\" in the path"),
            ("[7]", "invalid type: sequence, expected a map"),
        ] {
            let error = read(body).unwrap_err().to_string();
            assert!(error.contains(why), "{body}: {error}");
        }
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Strict {
            thing: String,
        }
        let strict = |params: &[(&str, &str)], body: &str| from_body::<Strict>(params, body.as_bytes());
        assert_eq!(strict(&[("thing", "x")], r#"{"th\u0069ng":"x"}"#), Ok(Strict { thing: "x".to_owned() }));
        assert!(strict(&[("thing", "x")], r#"{"other":1}"#).is_err());
        assert!(strict(&[("thing", "x"), ("other", "y")], "{}").is_err());
    }

    #[test]
    fn a_body_may_leave_out_what_the_path_says_but_not_contradict_it() {
        let decode = |body: &str| decode::<Put>(&[("thing", "x")], None, body.as_bytes());
        assert!(decode(r#"{"labels":[]}"#).is_ok());
        assert!(decode(r#"{"thing":"y","labels":[]}"#).unwrap_err().to_string().contains("in the path"));
        assert!(decode(r#"[]"#).is_err());
        assert!(decode("").is_err());
    }

    #[test]
    fn what_the_path_says_whole_has_no_body() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Lift<T> {
            thing: T,
            #[serde(skip_serializing_if = "Option::is_none")]
            height: Option<u32>,
        }
        impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Call for Lift<T> {
            type Service = Shelf;
            type Response = ();
            const METHOD: Method = Method::POST;
            const ROUTE: &'static str = "/things/{thing}/lift";
        }
        let lift = || Lift { thing: "a/b".to_owned(), height: None };
        let encoded = encode(&lift()).unwrap();
        assert_eq!((encoded.target.as_str(), encoded.body.as_deref()), ("/things/a%2Fb/lift", Some(b"".as_slice())));
        assert_eq!(decode::<Lift<String>>(&[("thing", "a/b")], None, b" "), Ok(lift()));
        for (body, said) in [
            (encode(&Lift { height: Some(2), ..lift() }).unwrap().body, r#"{"thing":"a/b","height":2}"#),
            (encode(&Lift { thing: 7, height: None }).unwrap().body, r#"{"thing":7}"#),
        ] {
            assert_eq!(body.as_deref(), Some(said.as_bytes()));
        }
    }

    #[test]
    fn an_empty_path_field_is_refused() {
        assert!(encode(&find("", None)).unwrap_err().to_string().contains("thing is empty"));
    }
}
