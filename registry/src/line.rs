//! JSON lines: one value, one line.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

/// The value as JSON with a line end after it.
pub(crate) fn line(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(value).expect("frames are plain data with text keys, which always has a JSON");
    text.push(b'\n');
    text.into()
}

/// As [`line`] of a `WatchFrame::Changed`, of an instance whose JSON is there already.
pub(crate) fn changed(revision: u64, json: &[u8]) -> Bytes {
    let head = format!(r#"{{"type":"changed","revision":{revision},"#);
    let fields = json.strip_prefix(b"{").unwrap_or(json);
    let mut text = BytesMut::with_capacity(head.len() + fields.len() + 1);
    text.put_slice(head.as_bytes());
    text.put_slice(fields);
    text.put_u8(b'\n');
    text.freeze()
}

#[cfg(test)]
mod tests {
    use mainstay_contracts::registry::{Listed, WatchFrame};

    use super::*;

    #[test]
    fn a_change_is_the_line_that_its_frame_is() {
        let json = r#"{"id":"a","number":1,"address":"http://127.0.0.1:1","weight":1,"incarnation":9,"presence":"up"}"#;
        let listed: Listed = serde_json::from_str(json).unwrap();
        assert_eq!(changed(7, json.as_bytes()), line(&WatchFrame::Changed { revision: 7, listed }));
    }
}
