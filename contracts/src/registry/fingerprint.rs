//! Whether two lists are the same, without sending either.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{BadName, Listed};

/// A number of 64 bits that stands for a list: equal lists have equal ones. Sent as 16 hexadecimal digits.
///
/// It is the sum, modulo 2^64, of the FNV-1a hashes of the instances' JSON as it is sent, without `type` and `revision`.
/// A sum, so that whoever follows a list keeps it up to date by one addition and one subtraction for each change, in
/// whatever order the instances stand. It finds mistakes, not forgeries.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// That of a whole list.
    pub fn of<'a>(instances: impl IntoIterator<Item = &'a Listed>) -> Self {
        let mut all = Self::default();
        instances.into_iter().for_each(|listed| all.add(Self::one(listed)));
        all
    }

    /// That of a list of one.
    pub fn one(listed: &Listed) -> Self {
        let json =
            serde_json::to_vec(listed).expect("an instance is plain data with text keys, which always has a JSON");
        Self::of_json(&json)
    }

    /// That of a list of one, whose JSON is at hand.
    pub fn of_json(json: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(json.iter().fold(0xcbf2_9ce4_8422_2325, step))
    }

    /// The number itself.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// An instance with this fingerprint has come.
    pub fn add(&mut self, one: Self) {
        self.0 = self.0.wrapping_add(one.0);
    }

    /// An instance with this fingerprint has left.
    pub fn subtract(&mut self, one: Self) {
        self.0 = self.0.wrapping_sub(one.0);
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl FromStr for Fingerprint {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or_else(|| BadName::new("fingerprint", text, "16 hexadecimal digits"))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, presence: &str) -> Listed {
        let json =
            format!(r#"{{"id":"{id}","number":1,"address":"127.0.0.1:1","incarnation":9,"presence":"{presence}"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn it_is_of_the_list_and_not_of_the_way_there() {
        let (first, second, silent) = (listed("a", "up"), listed("b", "up"), listed("b", "silent"));
        let mut followed = Fingerprint::of([&second, &first]);
        assert_eq!(followed, Fingerprint::of([&first, &second]));
        followed.subtract(Fingerprint::one(&second));
        followed.add(Fingerprint::one(&silent));
        assert_eq!(followed, Fingerprint::of([&first, &silent]));
        assert_ne!(followed, Fingerprint::of([&first, &second]));
        assert_eq!(Fingerprint::of([]), Fingerprint::default());
    }

    #[test]
    fn others_can_compute_it() {
        // By hand: FNV-1a, 64 bits, of the JSON below.
        let json = r#"{"id":"a","number":1,"address":"http://127.0.0.1:1","weight":1,"incarnation":9,"presence":"up"}"#;
        let one = listed("a", "up");
        assert_eq!(serde_json::to_string(&one).unwrap(), json);
        let mut hash = 14_695_981_039_346_656_037_u128;
        for byte in json.bytes() {
            hash = ((hash ^ u128::from(byte)) * 1_099_511_628_211) % (1 << 64);
        }
        assert_eq!(Fingerprint::one(&one).to_string(), format!("{hash:016x}"));
    }

    #[test]
    fn it_is_sent_as_sixteen_digits() {
        let some = Fingerprint(0xab);
        assert_eq!(serde_json::to_string(&some).unwrap(), r#""00000000000000ab""#);
        assert_eq!(serde_json::from_str::<Fingerprint>(r#""00000000000000ab""#).unwrap(), some);
        for wrong in ["", "ab", "+0000000000000ab", "00000000000000zz"] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong:?}");
        }
    }
}
