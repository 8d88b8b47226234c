//! The body of an answer that comes in chunks, across reads.

use crate::Failed;

/// Where in the answer the next byte is.
#[derive(Debug)]
pub(super) enum Chunks {
    /// In the head, which is kept until it is whole.
    Head(Vec<u8>),
    /// In the line that says how long the next chunk is; a digit that was seen makes it longer.
    Size { size: usize, digits: bool },
    /// In a chunk, of which so much is left.
    Chunk(usize),
    /// In the two bytes after a chunk.
    End(usize),
}

impl Default for Chunks {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl Chunks {
    /// Tells what of `read` is body.
    pub(super) fn take(&mut self, mut read: &[u8], mut tell: impl FnMut(&[u8])) -> Result<(), Failed> {
        while let [first, rest @ ..] = read {
            match self {
                Self::Head(head) => {
                    head.push(*first);
                    if head.ends_with(b"\r\n\r\n") {
                        check(head)?;
                        *self = Self::Size { size: 0, digits: true };
                    }
                    read = rest;
                }
                Self::Size { size, digits } => {
                    match char::from(*first).to_digit(16) {
                        Some(digit) if *digits => *size = *size * 16 + digit as usize,
                        _ if *first == b'\n' => *self = Self::Chunk(*size),
                        _ => *digits = false,
                    }
                    read = rest;
                }
                Self::Chunk(left) => {
                    let (chunk, rest) = read.split_at(read.len().min(*left));
                    tell(chunk);
                    *left -= chunk.len();
                    if *left == 0 {
                        *self = Self::End(2);
                    }
                    read = rest;
                }
                Self::End(left) => {
                    *left -= 1;
                    if *left == 0 {
                        *self = Self::Size { size: 0, digits: true };
                    }
                    read = rest;
                }
            }
        }
        Ok(())
    }
}

fn check(head: &[u8]) -> Result<(), Failed> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let status = head.lines().next().unwrap_or_default();
    if !status.starts_with("http/1.1 200") {
        return Err(format!("a stream was asked for and refused: {status}").into());
    }
    if !head.contains("\r\ntransfer-encoding: chunked\r\n") {
        return Err("a stream does not come in chunks".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\ncd\r\n10;why=not\r\nef\n0123456789\ng\n\r\n0\r\n\r\n";

    #[test]
    fn the_body_is_the_same_wherever_reads_end() {
        for cut in 0..ANSWER.len() {
            let (mut chunks, mut body) = (Chunks::default(), Vec::new());
            for read in [&ANSWER[..cut], &ANSWER[cut..]] {
                chunks.take(read, |part| body.extend_from_slice(part)).unwrap();
            }
            assert_eq!(String::from_utf8(body).unwrap(), "ab\ncdef\n0123456789\ng\n", "cut at {cut}");
        }
    }

    #[test]
    fn a_refusal_is_none() {
        let refused = Chunks::default().take(b"HTTP/1.1 503 Service Unavailable\r\n\r\n", |_| ()).unwrap_err();
        assert_eq!(refused.to_string(), "a stream was asked for and refused: http/1.1 503 service unavailable");
    }
}
