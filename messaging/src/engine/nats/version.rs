//! What can be told from a server's version.

/// Does this version know `sync_interval: always`? Whether it is set is told by nobody but its monitoring port.
pub(super) fn syncs_always(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (2, 10),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_from_2_10_sync_always() {
        for (version, syncs) in [
            ("2.9.10", false),
            ("2.10.0", true),
            ("2.10.27-1+b2", true),
            ("3.0.0", true),
            ("1.11.2", false),
            ("", false),
        ] {
            assert_eq!(syncs_always(version), syncs, "{version}");
        }
    }
}
