//! The card as text: aligned for a terminal, or as Markdown.

use std::fmt::Write as _;

use super::balance::Shares;
use super::card::{Aside, Card, PEERS};
use super::scenarios::{Finding, Found, Verdict};

const LOCK: &str = include_str!("../../Cargo.lock");

/// The version of a package that this program was built with.
pub fn version(package: &str) -> &'static str {
    let after = |text: &'static str, key: &str| text.split_once(key).map(|(_, after)| after);
    after(LOCK, &format!("name = \"{package}\"\nversion = \""))
        .and_then(|after| after.split_once('"'))
        .map_or("?", |(version, _)| version)
}

/// The card, as Markdown or for a terminal.
pub fn text(card: &Card, markdown: bool) -> String {
    let mut notes = Vec::new();
    let mut rows = vec![vec!["scenario".to_owned()]];
    rows[0].extend(PEERS.iter().map(|entry| format!("{} {}", entry.name, version(entry.package))));
    for row in &card.rows {
        let mut cells = vec![row.scenario.name.to_owned()];
        cells.extend(row.found.iter().map(|found| cell(found, &mut notes)));
        rows.push(cells);
    }
    let mut asides = vec![["beside the card", "who", "found"].map(str::to_owned).to_vec()];
    for Aside { entry, differs, found } in &card.asides {
        asides.push(vec![(*differs).to_owned(), entry.name.to_owned(), cell(found, &mut notes)]);
    }
    let mut text = format!("{}\n{}", table(&rows, markdown), table(&asides, markdown));
    for (at, note) in notes.iter().enumerate() {
        let _ = write!(text, "\n[{}] {note}{}", at + 1, if markdown { "  " } else { "" });
    }
    text
}

/// What balances did, as Markdown or for a terminal.
pub fn shares(all: &[Shares], markdown: bool) -> String {
    let head = ["balance", "one of three open: the others get", "one fails at once: it gets", "and answered are"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for Shares { name, package, beside_open, beside_failing } in all {
        let absent = || "-".to_owned();
        rows.push(vec![
            package.map_or_else(|| (*name).to_owned(), |package| format!("{name} {}", version(package))),
            beside_open.map_or_else(absent, |[one, other]| format!("{one} and {other}")),
            beside_failing.map_or_else(absent, |failing| format!("{:.2} %", failing.share)),
            beside_failing.map_or_else(absent, |failing| format!("{:.2} %", failing.answered)),
        ]);
    }
    table(&rows, markdown)
}

/// A finding in a few words, with the number of its note.
fn cell(found: &Found, notes: &mut Vec<String>) -> String {
    let (what, note) = match found {
        Ok(Finding { what, verdict, note }) => {
            let verdict = match verdict {
                Verdict::Pass => ", pass",
                Verdict::Fail => ", FAIL",
                Verdict::Meaningless => "",
            };
            (format!("{what}{verdict}"), note.map(str::to_owned))
        }
        Err(unfit) => ("?".to_owned(), Some(format!("came to no result: {unfit}"))),
    };
    match note {
        Some(note) => format!("{what} [{}]", noted(note, notes)),
        None => what,
    }
}

/// The number of a note.
fn noted(note: String, notes: &mut Vec<String>) -> usize {
    notes.iter().position(|known| *known == note).unwrap_or_else(|| {
        notes.push(note);
        notes.len() - 1
    }) + 1
}

fn table(rows: &[Vec<String>], markdown: bool) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let (start, gap, end) = if markdown { ("| ", " | ", " |") } else { ("", "  ", "") };
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let line = format!("{start}{}{end}", cells.join(gap));
        let _ = writeln!(text, "{}", line.trim_end());
        if at == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "{start}{}{end}", rules.join(gap));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_were_built() {
        assert_eq!(version("mainstay-bench"), env!("CARGO_PKG_VERSION"));
        assert_eq!(version("nobody-has-this-name"), "?");
    }

    #[test]
    fn markdown_has_a_rule_under_its_head() {
        let rows = [vec!["a".to_owned(), "bc".to_owned()], vec!["def".to_owned(), "g".to_owned()]];
        assert_eq!(table(&rows, true), "| a   | bc |\n| --- | -- |\n| def | g  |\n");
        assert_eq!(table(&rows, false), "a    bc\n---  --\ndef  g\n");
    }
}
