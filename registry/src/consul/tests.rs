mod blocking;
mod hostile;
mod passes;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::{Router, extract::Request};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::directory::Directory;

/// A registry without sockets, so that time may be paused.
struct Agent {
    directory: Arc<Directory>,
    router: Router,
    stop: CancellationToken,
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    index: Option<u64>,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// How many entries its list has, and its index.
    fn counted(&self) -> (usize, u64) {
        (self.json().as_array().unwrap().len(), self.index.unwrap())
    }
}

impl Agent {
    async fn start(config: Config) -> Self {
        let stop = CancellationToken::new();
        let (directory, mut writer) = Directory::open(config, stop.clone()).await.unwrap();
        tokio::spawn(async move { writer.run().await });
        let router = crate::http::router(Arc::clone(&directory));
        Self { directory, router, stop }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> impl Future<Output = Answer> + Send + 'static {
        let router = TowerToHyperService::new(self.router.clone());
        let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
        async move {
            let response = router.call(request).await.unwrap();
            let status = response.status();
            let index = response.headers().get("x-consul-index");
            let index = index.map(|index| index.to_str().unwrap().parse().unwrap());
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            Answer { status, index, text: String::from_utf8(bytes.to_vec()).unwrap() }
        }
    }

    fn get(&self, path: &str) -> impl Future<Output = Answer> + Send + 'static {
        self.ask("GET", path, "")
    }

    async fn put(&self, path: &str, body: &str) {
        let answer = self.ask("PUT", path, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""), "{path}");
    }

    /// Registers a service with a check that passes.
    async fn passing(&self, name: &str, id: &str, ttl: Duration) {
        let ttl = ttl.as_millis();
        let check = format!(r#"{{"TTL":"{ttl}ms","Status":"passing","DeregisterCriticalServiceAfter":"1m"}}"#);
        let body = format!(r#"{{"Name":"{name}","ID":"{id}","Check":{check}}}"#);
        self.put("/v1/agent/service/register", &body).await;
    }
}
