//! Errors in one line.

use std::error::Error;

/// An error with what is behind it.
pub(crate) fn whole(error: &dyn Error) -> String {
    with_behind(error.to_string(), error.source())
}

/// What was said of an error, with what is behind it. Many say again what is behind them; here it is said once.
pub(crate) fn with_behind(mut said: String, mut behind: Option<&(dyn Error + 'static)>) -> String {
    while let Some(error) = behind {
        let why = error.to_string();
        if !said.contains(&why) {
            said = format!("{said}: {why}");
        }
        behind = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_is_behind_an_error_is_said_once() {
        let behind = io::Error::other(io::Error::new(io::ErrorKind::ConnectionRefused, "refused"));
        assert_eq!(with_behind("no answer".to_owned(), Some(&behind)), "no answer: refused");
        assert_eq!(whole(&behind), "refused");
    }
}
