//! By what a delivery is settled: the subject that JetStream gives to whoever receives a message.

use std::str::FromStr;

/// What such a subject says: `$JS.ACK.` and stream, consumer, attempt, message, delivery, time and pending, with domain
/// and account before them if the server is told to say them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    /// The message's number in its stream.
    pub(super) message: u64,
    /// When it was stored: with it, the number is of this message only, also if the stream was made anew.
    pub(super) stored: u64,
    /// Which delivery of it this is, counted from 1.
    pub(super) attempt: u32,
}

/// No delivery was ever named so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign;

impl FromStr for Receipt {
    type Err = Foreign;

    fn from_str(text: &str) -> Result<Self, Foreign> {
        let parts: Vec<&str> = text.strip_prefix("$JS.ACK.").ok_or(Foreign)?.split('.').collect();
        let [_, _, attempt, message, _, stored, ..] = (match parts.len() {
            7 => parts.as_slice(),
            9.. => &parts[2..],
            _ => return Err(Foreign),
        }) else {
            return Err(Foreign);
        };
        let number = |text: &str| text.parse().map_err(|_| Foreign);
        let attempt = u32::try_from(number(attempt)?).unwrap_or(u32::MAX);
        Ok(Self { message: number(message)?, stored: number(stored)?, attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_of_old_and_new_servers_are_read() {
        let receipt = Receipt { message: 12, stored: 1700, attempt: 3 };
        for text in [
            "$JS.ACK.mainstay-topic-t.workers.3.12.9.1700.0",
            "$JS.ACK.hub.ACCOUNT.mainstay-topic-t.workers.3.12.9.1700.0",
            "$JS.ACK._.ACCOUNT.mainstay-topic-t.workers.3.12.9.1700.0.random",
        ] {
            assert_eq!(text.parse(), Ok(receipt), "{text}");
        }
    }

    #[test]
    fn what_is_no_receipt_is_foreign() {
        for text in ["", "$JS.ACK.", "1-2-3", "$JS.ACK.s.c.1.2.3.4", "$JS.ACK.s.c.x.2.3.4.0", "_INBOX.s.c.1.2.3.4.0"] {
            assert_eq!(text.parse::<Receipt>(), Err(Foreign), "{text}");
        }
    }
}
