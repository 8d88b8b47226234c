//! Times as they are stored: microseconds since 1970, which every database has and every comparison agrees on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) fn to_micros(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn from_micros(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs())
}

/// Now, as precise as it is stored, so that what is read back is equal to what was written.
pub(crate) fn now() -> SystemTime {
    from_micros(to_micros(SystemTime::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_as_it_was_stored() {
        let at = now();
        assert_eq!(from_micros(to_micros(at)), at);
        assert_eq!(to_micros(UNIX_EPOCH - Duration::from_secs(1)), 0);
    }
}
