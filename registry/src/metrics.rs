//! What is counted, for Prometheus.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::registry::Overview;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::roster::{Batch, Became};

/// Upper bounds of how long a batch takes to be kept, in seconds.
const KEPT_WITHIN: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

/// What has happened since the start.
#[derive(Debug)]
pub(crate) struct Metrics {
    beats: Counter,
    listed: Counter,
    gone: Family<Why, Counter>,
    kept: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let kept = Histogram::new(KEPT_WITHIN);
        Self { beats: Counter::default(), listed: Counter::default(), gone: Family::default(), kept }
    }
}

impl Metrics {
    pub(crate) fn beat(&self) {
        self.beats.inc();
    }

    /// A batch has been kept, which took so long.
    pub(crate) fn batch(&self, batch: &Batch, took: Duration) {
        self.kept.observe(took.as_secs_f64());
        for change in &batch.changes {
            match change.became {
                Became::Listed(_) => self.listed.inc(),
                Became::Gone(why) => self.gone.get_or_create(&Why { why: why.as_str() }).inc(),
            };
        }
    }

    /// All of it as text, with how the registry is now, and whether it `writes`, if it is one of several.
    pub(crate) fn text(&self, overview: Overview, writes: Option<bool>) -> Result<String, fmt::Error> {
        let mut all = Registry::with_prefix("mainstay_registry");
        all.register("beats", "Beats of instances and leases", self.beats.clone());
        all.register("changes", "Times that an instance came or changed", self.listed.clone());
        all.register("gone", "Instances that are not listed any more", self.gone.clone());
        all.register("kept_seconds", "How long a batch of changes took to be safe", self.kept.clone());
        all.register_collector(Box::new(Now(Arc::new(overview), writes)));
        let mut text = String::new();
        encode(&mut text, &all)?;
        Ok(text)
    }
}

/// How the registry is at one instant, and whether it writes, if it is one of several.
#[derive(Debug)]
struct Now(Arc<Overview>, Option<bool>);

#[derive(Debug, EncodeLabelSet)]
struct Of {
    service: String,
    presence: &'static str,
}

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(now, writes) = self;
        let writes =
            writes.map(|writes| ("writes", "1 if it is this one of several replicas that writes", u64::from(writes)));
        let plain = [
            ("revision", "The last revision", now.revision),
            ("watchers", "Watch streams", now.watchers as u64),
            ("unable_to_change", "1 while nothing can be changed", u64::from(now.trouble.is_some())),
            ("started_from_damage", "1 if what was kept was damaged at the start", u64::from(now.damage.is_some())),
        ];
        for (name, help, value) in plain.into_iter().chain(writes) {
            let gauge = ConstGauge::<u64>::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        let help = "Instances that are listed; those that are suspect are kept by the guard";
        let mut family = encoder.encode_descriptor("instances", help, None, MetricType::Gauge)?;
        for of in &now.services {
            let counts = [("up", of.up), ("silent", of.silent), ("suspect", of.suspect), ("draining", of.draining)];
            for (presence, count) in counts {
                let labels = Of { service: of.service.clone(), presence };
                ConstGauge::<u64>::new(count as u64).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
