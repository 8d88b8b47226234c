//! For Prometheus: what to scrape, and this registry's own metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Json, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use mainstay_contracts::registry::{Listed, check_service_name};
use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::denied::Denied;
use crate::Rights;
use crate::directory::Directory;

/// What Prometheus' documentation says the type of OpenMetrics is.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// This registry's own metrics.
pub(super) async fn metrics(State(directory): State<Arc<Directory>>) -> Result<Response, Denied> {
    let text = directory.metrics().text(directory.overview(), directory.writes());
    let text = text.map_err(|error| Denied::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// Which targets are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only of this service.
    #[serde(default)]
    service: Option<String>,
    /// Only with this tag.
    #[serde(default)]
    tag: Option<String>,
}

/// Instances with the same labels.
#[derive(Debug, Serialize)]
pub(super) struct Targets {
    targets: [String; 1],
    labels: BTreeMap<String, String>,
}

/// What to scrape, as `http_sd_configs` reads it: all that is listed, as one that is silent should be seen to be.
pub(super) async fn targets(
    State(directory): State<Arc<Directory>>,
    Extension(rights): Extension<Rights>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Vec<Targets>>, Denied> {
    let Wanted { service, tag } = wanted;
    let views = match service {
        Some(service) => {
            check_service_name(&service).map_err(|error| Denied::bad(&error))?;
            if !rights.may_read(&service) {
                return Err(Denied::new(StatusCode::FORBIDDEN, format!("you may not read {service}")));
            }
            directory.views().get(&service).into_iter().collect()
        }
        None => directory.views().services().into_iter().map(|(view, _)| view).collect::<Vec<_>>(),
    };
    let mut found = Vec::new();
    for view in views.into_iter().filter(|view| rights.may_read(&view.name)) {
        let rows = view.rows();
        let tagged = |listed: &Listed| tag.as_ref().is_none_or(|tag| listed.instance.tags.contains(tag));
        found.extend(rows.iter().filter(|row| tagged(&row.listed)).map(|row| target(&view.name, &row.listed)));
    }
    Ok(Json(found))
}

fn target(service: &str, listed: &Listed) -> Targets {
    let Listed { instance, presence } = listed;
    let mut labels = BTreeMap::new();
    let mut label = |name: &str, value: &str| {
        labels.insert(format!("__meta_mainstay_{name}"), value.to_owned());
    };
    label("service", service);
    label("instance", instance.id.as_str());
    label("number", &instance.number.to_string());
    label("zone", instance.zone.as_deref().unwrap_or_default());
    label("version", instance.version.as_deref().unwrap_or_default());
    label("tags", &format!(",{},", instance.tags.join(",")));
    label("presence", presence.as_str());
    for (key, value) in &instance.metadata {
        let key: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        label(&format!("metadata_{key}"), value);
    }
    if instance.address.is_https() {
        labels.insert("__scheme__".to_owned(), "https".to_owned());
    }
    Targets { targets: [instance.address.authority().to_owned()], labels }
}
