//! A chart for the README: bars beside each other, on a light or a dark page.

use std::fmt::Write;

use super::contestant::Contestant::Mainstay;
use super::rounds::{Level, Row, Sample};

const WIDTH: u32 = 700;
const ROW: u32 = 26;
const TOP: u32 = 76;
/// Where the names end, and where each panel's bars begin and how long they get.
const NAMES: u32 = 205;
const CALLS: (u32, f64) = (215, 175.0);
const CPU: (u32, f64) = (462, 175.0);

const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .quiet { fill: #59636e; font-size: 12px }
  .bar { fill: #a3b1c2 }
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
    let cpu = |sample: &Sample| sample.client_cpu + sample.proxy_cpu;
    let height = TOP + ROW * level.rows.len() as u32 + 34;
    let title = format!("{} concurrent calls over loopback", level.concurrent);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n",
        escaped(&title)
    );
    text(&mut svg, 10, 24, "title", &title);
    text(&mut svg, CALLS.0, 56, "quiet", "calls/s, thousands: longer is better");
    text(&mut svg, CPU.0, 56, "quiet", "CPU per call, µs: shorter is better");
    for (row, place) in level.rows.iter().zip(0..) {
        let y = TOP + ROW * place;
        let class = if row.contestant == Mainstay { " class=\"ours\"" } else { "" };
        let _ = writeln!(svg, "<g{class}>");
        let name = escaped(row.contestant.title());
        let _ = writeln!(svg, "<text x=\"{NAMES}\" y=\"{}\" text-anchor=\"end\">{name}</text>", y + 13);
        bar(&mut svg, y, CALLS, median(row, calls), most(level, calls), 0);
        bar(&mut svg, y, CPU, median(row, cpu), most(level, cpu), 1);
        svg += "</g>\n";
    }
    let caption = format!(
        "GET, 36-byte JSON, three instances; medians of one interleaved run on {cores} cores. \
         CPU of the client, and of the proxy where there is one."
    );
    text(&mut svg, 10, height - 12, "quiet", &caption);
    svg + "</svg>\n"
}

fn median(row: &Row, measure: impl Fn(&Sample) -> f64) -> f64 {
    row.spread(measure).map_or(0.0, |spread| spread.median)
}

fn most(level: &Level, measure: impl Fn(&Sample) -> f64) -> f64 {
    level.rows.iter().map(|row| median(row, &measure)).fold(f64::MIN_POSITIVE, f64::max)
}

fn bar(svg: &mut String, y: u32, (x, longest): (u32, f64), value: f64, most: f64, digits: usize) {
    let length = value / most * longest;
    let _ = writeln!(svg, "<rect class=\"bar\" x=\"{x}\" y=\"{y}\" width=\"{length:.1}\" height=\"18\" rx=\"2\"/>");
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{}\">{value:.digits$}</text>", f64::from(x) + length + 6.0, y + 13);
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
    use crate::end_to_end::latency::Latencies;

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
        };
        let rows = vec![row(Contestant::Raw, 100e3), row(Mainstay, 50e3)];
        let svg = of(&Level { concurrent: 64, rows }, 2);
        assert!(svg.contains("width=\"175.0\"") && svg.contains("width=\"87.5\"") && svg.contains(">50</text>"));
        assert!(svg.contains("64 concurrent") && svg.contains("on 2 cores") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
    }
}
