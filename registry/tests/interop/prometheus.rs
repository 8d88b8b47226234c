//! Prometheus: finds what to scrape by `http_sd_configs`, and scrapes the registry itself.

use std::fs;

use serde_json::Value;

use crate::process::{Registry, curl, free_port, program, run, until};

#[tokio::test]
async fn prometheus_finds_instances_and_reads_the_metrics() {
    let Some(prometheus) = program("prometheus") else { return };
    let registry = Registry::start().await;
    // The registry's own metrics, as if it were an instance of some service.
    registry.register("observed", "registry-1", &registry.http).await;
    registry.register("other", "other-1", "127.0.0.1:1").await;
    let (dir, port) = (registry.dir.path(), free_port());
    let config = format!(
        "scrape_configs:\n- job_name: mainstay\n  scrape_interval: 1s\n  http_sd_configs:\n  - url: \
         http://{}/v1/prometheus?service=observed\n    refresh_interval: 1s\n  relabel_configs:\n  - source_labels: \
         [__meta_mainstay_service]\n    target_label: service\n  - source_labels: [__meta_mainstay_version]\n    \
         target_label: version\n",
        registry.http
    );
    fs::write(dir.join("prometheus.yml"), config).unwrap();
    let (config, storage) = (dir.join("prometheus.yml"), dir.join("storage"));
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", storage.display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let _prometheus = run(&prometheus, &args.each_ref().map(String::as_str), &dir.join("prometheus.log"));
    let api = format!("http://127.0.0.1:{port}/api/v1");
    let target = until("a target that is up", async || {
        let answer = curl(&[&format!("{api}/targets")]).await.ok_or("it does not answer")?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        let targets = answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
        match targets.as_slice() {
            [target] if target["health"] == "up" => Ok(target.clone()),
            _ => Err(answer.to_string()),
        }
    })
    .await;
    let labels = &target["labels"];
    assert_eq!((&labels["service"], &labels["version"]), (&"observed".into(), &"1.4".into()), "{target}");
    assert_eq!(target["discoveredLabels"]["__meta_mainstay_presence"], "up", "{target}");
    let query = format!("{api}/query?query=mainstay_registry_instances%7Bpresence%3D%22up%22%7D");
    let found = until("instances by service", async || {
        let answer = curl(&[&query]).await.ok_or("it does not answer")?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        let results = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        if results.len() == 2 { Ok(results) } else { Err(answer.to_string()) }
    })
    .await;
    assert!(found.iter().all(|result| result["value"][1] == "1"), "{found:?}");
    registry.deregister("observed", "registry-1").await;
    until("no target any more", async || {
        let answer = curl(&[&format!("{api}/targets?state=active")]).await.ok_or("it does not answer")?;
        if answer.contains(r#""activeTargets":[]"#) { Ok(()) } else { Err(answer) }
    })
    .await;
}
