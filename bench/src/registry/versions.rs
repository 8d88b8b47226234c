//! Which servers are measured.

use std::fmt;
use std::path::Path;
use std::process::Command;

use super::options::Options;
use crate::child::find;

/// What each server says of itself, if it is there.
#[derive(Debug)]
pub(crate) struct Versions {
    etcd: Option<String>,
    redis: Option<String>,
}

impl Versions {
    pub(crate) fn of(options: &Options) -> Self {
        Self { etcd: version(&options.etcd), redis: version(&options.redis) }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_not = |version: &Option<String>| version.clone().unwrap_or_else(|| "not installed".to_owned());
        write!(f, "etcd: {}. Redis: {}, appendfsync always.", or_not(&self.etcd), or_not(&self.redis))
    }
}

fn version(program: &Path) -> Option<String> {
    let program = find(&program.to_string_lossy())?;
    let output = Command::new(program).arg("--version").output().ok()?;
    numbers(&String::from_utf8_lossy(&output.stdout))
}

/// The first word that looks like a version.
fn numbers(text: &str) -> Option<String> {
    let words = text.split_whitespace().map(|word| word.trim_start_matches("v="));
    let mut versions = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_servers_say() {
        assert_eq!(numbers("etcd Version: 3.4.23\nGit SHA: Not provided\nGo Version: go1.19.8"), Some("3.4.23".into()));
        assert_eq!(numbers("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0"), Some("7.0.15".into()));
        assert_eq!(numbers("no number"), None);
    }
}
