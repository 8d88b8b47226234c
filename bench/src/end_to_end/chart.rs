//! A chart for the README: bars beside each other, on a light or a dark page.

use std::fmt::Write;

use super::contestant::Contestant::Mainstay;
use super::rounds::{Level, Row, Sample};

const WIDTH: u32 = 700;
const ROW: u32 = 26;
const TOP: u32 = 76;
/// Where the names end, and where each panel's bars begin and how long they get.
const NAMES: u32 = 218;
const CALLS: (u32, f64) = (228, 150.0);
const CPU: (u32, f64) = (450, 160.0);

const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .quiet { fill: #59636e; font-size: 12px }
  .bar { fill: #a3b1c2 }
  .more { opacity: 0.5 }
  .ours .bar { fill: #1a7f64 }
  .ours text { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .bar { fill: #56657a }
    .ours .bar { fill: #2fb38f }
  }
";

/// Calls per second and the client's CPU per call, of everybody.
pub(crate) fn of(level: &Level, cores: usize) -> String {
    let calls = |sample: &Sample| sample.calls_per_second / 1e3;
    let client = |sample: &Sample| sample.client_cpu;
    let proxy = |sample: &Sample| sample.proxy_cpu;
    let most_calls = most(level, calls);
    let most_cpu = most(level, |sample| sample.client_cpu + sample.proxy_cpu);
    let height = TOP + ROW * level.rows.len() as u32 + 50;
    let title = format!("{} concurrent calls over loopback", level.concurrent);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n",
        escaped(&title)
    );
    text(&mut svg, 10, 24, "title", &title);
    text(&mut svg, CALLS.0, 56, "quiet", "1000 calls/s, longer is better");
    text(&mut svg, CPU.0, 56, "quiet", "CPU per call in µs, shorter is better");
    for (row, place) in level.rows.iter().zip(0..) {
        let y = TOP + ROW * place;
        let class = if row.contestant == Mainstay { " class=\"ours\"" } else { "" };
        let _ = writeln!(svg, "<g{class}>");
        let name = escaped(row.contestant.title());
        let _ = writeln!(svg, "<text x=\"{NAMES}\" y=\"{}\" text-anchor=\"end\">{name}</text>", y + 13);
        let calls = median(row, calls);
        let end = bar(&mut svg, "bar", CALLS.0.into(), y, calls / most_calls * CALLS.1);
        value(&mut svg, end, y, &format!("{calls:.0}"));
        let (client, proxy) = (median(row, client), median(row, proxy));
        let end = bar(&mut svg, "bar", CPU.0.into(), y, client / most_cpu * CPU.1);
        if proxy > 0.0 {
            let end = bar(&mut svg, "bar more", end, y, proxy / most_cpu * CPU.1);
            value(&mut svg, end, y, &format!("{client:.1} + {proxy:.1}"));
        } else {
            value(&mut svg, end, y, &format!("{client:.1}"));
        }
        svg += "</g>\n";
    }
    let how = format!("GET, 36 bytes of JSON, three instances. Medians of one interleaved run on {cores} cores.");
    text(&mut svg, 10, height - 28, "quiet", &how);
    text(&mut svg, 10, height - 10, "quiet", "CPU is that of the client; fainter: that of the proxy.");
    svg + "</svg>\n"
}

fn median(row: &Row, measure: impl Fn(&Sample) -> f64) -> f64 {
    row.spread(measure).map_or(0.0, |spread| spread.median)
}

fn most(level: &Level, measure: impl Fn(&Sample) -> f64) -> f64 {
    level.rows.iter().map(|row| median(row, &measure)).fold(f64::MIN_POSITIVE, f64::max)
}

/// Where it ends is where the next thing begins.
fn bar(svg: &mut String, class: &str, x: f64, y: u32, length: f64) -> f64 {
    let _ = writeln!(svg, "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{length:.1}\" height=\"18\"/>");
    x + length
}

fn value(svg: &mut String, x: f64, y: u32, words: &str) {
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{}\">{words}</text>", x + 6.0, y + 13);
}

fn text(svg: &mut String, x: u32, y: u32, class: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>", escaped(words));
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end_to_end::contestant::Contestant;
    use crate::latency::Latencies;

    #[test]
    fn words_cannot_end_their_element() {
        assert_eq!(escaped(r#"<a & "b">"#), "&lt;a &amp; &quot;b&quot;&gt;");
    }

    #[test]
    fn the_best_has_the_longest_bar_and_nobody_is_missing() {
        let row = |contestant, calls_per_second| Row {
            contestant,
            samples: vec![Sample { calls_per_second, client_cpu: 5.0, proxy_cpu: 0.0, instances_cpu: 1.0 }],
            latencies: Latencies::new(),
            failures: Vec::new(),
        };
        let rows = vec![row(Contestant::Raw, 100e3), row(Mainstay, 50e3)];
        let svg = of(&Level { concurrent: 64, rows }, 2);
        assert!(svg.contains("width=\"150.0\"") && svg.contains("width=\"75.0\"") && svg.contains(">50</text>"));
        assert!(svg.contains("64 concurrent") && svg.contains("on 2 cores") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
    }
}
