//! HTTP to another replica.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mainstay_contracts::Address;
use serde::de::DeserializeOwned;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::sync::CancellationToken;

use crate::tls;
use crate::why::whole;

/// What shows that a request comes from another replica: the secret that only those know who read it in etcd.
pub(super) const SECRET: HeaderName = HeaderName::from_static("mainstay-replica");
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a connection is kept that nobody needs.
const IDLE: Duration = Duration::from_secs(15);
/// The longest answer among replicas.
const LONGEST: usize = 64 * 1024;

/// Connections to the other replicas.
#[derive(Clone)]
pub(super) struct Link {
    secret: HeaderValue,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// Without `tls`, nobody who encrypts is trusted.
    pub(super) fn new(secret: &str, tls: Option<&tls::Client>) -> Self {
        let config = match tls {
            Some(tls::Client(config)) => ClientConfig::clone(config),
            None => ClientConfig::builder_with_provider(default_provider().into())
                .with_safe_default_protocol_versions()
                .expect("ring has what these versions need")
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth(),
        };
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
        let mut http = Client::builder(TokioExecutor::new());
        http.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        let mut secret = HeaderValue::from_str(secret).expect("it is hexadecimal");
        secret.set_sensitive(true);
        Self { secret, http: http.build(connector.wrap_connector(tcp)) }
    }

    /// Is it the word of another replica?
    pub(super) fn knows(&self, shown: Option<&HeaderValue>) -> bool {
        // Its length is no secret.
        shown.is_some_and(|shown| {
            let (shown, own) = (shown.as_bytes(), self.secret.as_bytes());
            shown.len() == own.len() && shown.iter().zip(own).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
        })
    }

    /// Sends a request to a replica, which answers it itself.
    pub(super) async fn send(
        &self,
        to: &Address,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, String> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        *request.uri_mut() = format!("{to}{target}").parse().map_err(|error| format!("{to}{target}: {error}"))?;
        request.headers_mut().insert(SECRET, self.secret.clone());
        self.http.request(request).await.map_err(|error| whole(&error))
    }

    /// Asks a replica for something small.
    pub(super) async fn ask<T: DeserializeOwned>(&self, of: &Address, target: &str) -> Result<T, String> {
        let request = Request::builder().method(Method::POST).uri(target).header(header::CONTENT_LENGTH, 0);
        let request = request.body(Full::default()).map_err(|error| error.to_string())?;
        let answer = self.send(of, request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST).collect().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("it says {status}"));
        }
        serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())
    }
}

/// An answer as ours, which breaks off when another one writes.
pub(super) fn passed(answer: Response<Incoming>, turn: CancellationToken) -> Response<Body> {
    answer.map(|body| {
        Body::from_stream(stream::unfold((body, turn), |(mut body, turn)| async move {
            let data = match turn.run_until_cancelled(body.frame()).await {
                Some(None) => return None,
                Some(Some(Ok(frame))) => Ok(frame.into_data().unwrap_or_default()),
                Some(Some(Err(error))) => Err(io::Error::other(error)),
                None => Err(io::Error::other("another replica writes")),
            };
            Some((data, (body, turn)))
        }))
    })
}
