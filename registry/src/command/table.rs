//! Columns for people to read.

/// Prints rows under their heads, each column as wide as its widest.
#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(super) fn print<const N: usize>(heads: [&str; N], rows: &[[String; N]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).chain([heads[column].len()]).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or_default()).collect();
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    };
    line(heads);
    rows.iter().for_each(|row| line(row.each_ref().map(String::as_str)));
}

/// As people say it: 340 ms, 4.2 s, 12 min.
pub(super) fn duration(millis: u64) -> String {
    match millis {
        0..=999 => format!("{millis} ms"),
        1_000..=119_999 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min", millis / 60_000),
    }
}
