//! JSON lines: one value, one line.

use bytes::Bytes;
use serde::Serialize;

/// The value as JSON with a line end after it.
pub(crate) fn line(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(value).expect("frames are plain data with text keys, which always has a JSON");
    text.push(b'\n');
    text.into()
}
