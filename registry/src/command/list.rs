//! `mainstay-registry list`.

use std::process::ExitCode;
use std::time::Duration;

use mainstay_contracts::registry::{Inspect, Inspection, Look, Overview};

use super::table::{duration, print};
use super::{Common, Failed};

const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mainstay-registry list\n  mainstay-registry list ratings --json")]
pub(crate) struct List {
    /// A service; all of them when none is said
    service: Option<String>,

    #[command(flatten)]
    common: Common,
}

impl List {
    #[expect(clippy::print_stdout, reason = "this is the command's answer")]
    pub(super) async fn run(self) -> Result<ExitCode, Failed> {
        let registry = self.common.registry()?;
        match self.service {
            Some(service) => {
                let inspection = registry.ask(&Inspect { service }, LIMIT).await?;
                if self.common.json {
                    println!("{}", json(&inspection));
                } else {
                    instances(&inspection);
                }
            }
            None => {
                let overview = registry.ask(&Look {}, LIMIT).await?;
                if self.common.json {
                    println!("{}", json(&overview));
                } else {
                    services(&overview);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("answers are plain data with text keys")
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
fn services(overview: &Overview) {
    if overview.services.is_empty() {
        println!("no service has registered");
    } else {
        let row = |service: &mainstay_contracts::registry::ServiceOverview| {
            let counts = [service.up, service.silent, service.suspect, service.draining, service.watchers];
            let [up, silent, suspect, draining, watchers] = counts.map(|count| count.to_string());
            [service.service.clone(), up, silent, suspect, draining, watchers, service.revision.to_string()]
        };
        let rows: Vec<_> = overview.services.iter().map(row).collect();
        print(["SERVICE", "UP", "SILENT", "SUSPECT", "DRAINING", "WATCHERS", "REVISION"], &rows);
    }
    for service in &overview.services {
        if let Some(doubt) = &service.doubt {
            let left =
                doubt.gone_in_ms.map_or_else(|| "without a limit".to_owned(), |left| format!("for {}", duration(left)));
            println!(
                "{}: {}; they stay listed {left}, or until: mainstay-registry release {0}",
                service.service, doubt.reason
            );
        }
    }
    for (what, why) in [("nothing can be changed", &overview.trouble), ("at the start", &overview.damage)] {
        if let Some(why) = why {
            println!("{what}: {why}");
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
fn instances(inspection: &Inspection) {
    if inspection.instances.is_empty() {
        println!("{} has no instances", inspection.service);
        return;
    }
    let rows: Vec<_> = inspection
        .instances
        .iter()
        .map(|row| {
            let instance = &row.listed.instance;
            [
                instance.number.to_string(),
                instance.id.to_string(),
                row.listed.presence.as_str().to_owned(),
                duration(row.since_ms),
                instance.address.to_string(),
                row.beaten_ms.map_or_else(|| "not yet".to_owned(), |beaten| format!("{} ago", duration(beaten))),
                if row.held { "connection" } else { "beats" }.to_owned(),
            ]
        })
        .collect();
    print(["#", "INSTANCE", "PRESENCE", "FOR", "ADDRESS", "LAST BEAT", "LEASE"], &rows);
}
