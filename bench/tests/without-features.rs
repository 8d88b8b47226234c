//! A client that was built without a feature says so. Tested here, as Mainstay's own tests are built with all of them.

use mainstay::contracts::ratings::Ratings;
use mainstay::{BuildError, Client, Service};

#[test]
fn without_http2_a_policy_that_asks_for_it_is_refused() {
    let policy = Ratings::POLICY.to_builder().http2().build_const();
    let builder = Client::<Ratings>::builder().fixed(["127.0.0.1:1".parse().unwrap()]);
    let error = builder.policy(policy).build().unwrap_err();
    assert!(matches!(error, BuildError::NoHttp2), "{error:?}");
    assert_eq!(error.to_string(), "the policy asks for HTTP/2: turn on the feature http2");
}

#[test]
fn without_tls_an_https_address_is_refused() {
    let builder = Client::<Ratings>::builder().fixed(["https://127.0.0.1:1".parse().unwrap()]);
    let error = builder.build().unwrap_err();
    assert!(matches!(&error, BuildError::NoTls(address) if address.is_https()), "{error:?}");
}
