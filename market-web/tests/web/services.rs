//! Services that are known to a Market, and say what a test wants them to say.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use mainstay::{Address, Lease, Registration, Service};
use market_web::Config;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::site::Site;

/// A registry, and a Market that finds everybody through it.
pub(crate) struct Town {
    registry: Address,
    pub(crate) site: Site,
    leases: Vec<Lease>,
}

impl Town {
    pub(crate) async fn found() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = Address::from(listener.local_addr().unwrap());
        tokio::spawn(mainstay_registry::run(mainstay_registry::Config::default(), listener, pending()));
        let site = Site::run(Config { registry: Some(registry.clone()), ..Config::default() }).await;
        Self { registry, site, leases: Vec::new() }
    }

    /// An instance of a service, once the Market knows of it.
    pub(crate) async fn with<S: Service>(mut self, id: &str, number: u32, routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::from(listener.local_addr().unwrap());
        let row = format!(r#""address":"{address}""#);
        let routes = routes.route("/health", get(async || StatusCode::OK));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let registration = Registration::new::<S>(id.parse().unwrap(), address).number(number);
        self.leases.push(registration.registry(self.registry.clone()).start());
        let known = async {
            while !self.site.ask("GET", "/api/state", "", "").await.text.contains(&row) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), known).await.expect("the Market knows of it");
        self
    }
}
