//! The file of tokens.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::rights::Rights;
use super::token::{Token, sha256};

/// The tokens that were read.
#[derive(Debug)]
pub(super) struct Tokens {
    by_hash: HashMap<String, Rights>,
    anonymous: Rights,
    /// When the file was written, as far as that is known.
    pub(super) written: Option<SystemTime>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tokens: Vec<Entry>,
    #[serde(default)]
    anonymous: Rights,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    #[serde(default)]
    read: Vec<String>,
    #[serde(default)]
    register: Vec<String>,
}

impl Tokens {
    pub(super) fn read(path: &Path) -> Result<Self, BadTokens> {
        let written = fs::metadata(path).and_then(|file| file.modified()).ok();
        let File { tokens, anonymous } = parse(path)?;
        let mut by_hash = HashMap::new();
        for Entry { name, sha256, read, register } in tokens {
            let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
            if sha256.len() != 64 || !sha256.bytes().all(hex) {
                let reason = format!("sha256 of {name:?} is not 64 hexadecimal digits, in small letters");
                return Err(BadTokens::new(path, reason));
            }
            if by_hash.insert(sha256, Rights { read, register }).is_some() {
                return Err(BadTokens::new(path, format!("the token of {name:?} is another's as well")));
            }
        }
        Ok(Self { by_hash, anonymous, written })
    }

    pub(super) fn rights(&self, token: Option<&str>) -> Option<Rights> {
        match token {
            None => Some(self.anonymous.clone()),
            Some(token) => self.by_hash.get(&sha256(token)).map(|rights| rights.clone().and(&self.anonymous)),
        }
    }
}

pub(super) fn read_if_newer(path: &Path, written: Option<SystemTime>) -> Result<Option<Tokens>, BadTokens> {
    let now = fs::metadata(path).and_then(|file| file.modified()).ok();
    if now.is_some() && now == written { Ok(None) } else { Tokens::read(path).map(Some) }
}

fn parse(path: &Path) -> Result<File, BadTokens> {
    let text = fs::read(path).map_err(|error| BadTokens::new(path, error))?;
    serde_json::from_slice(&text).map_err(|error| BadTokens::new(path, error))
}

impl Token {
    /// Adds this token to a file, made if it is not there, which only its owner can read; in place of one of the same
    /// name.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is something else.
    pub fn add(&self, path: &Path, name: &str, rights: Rights) -> Result<(), BadTokens> {
        let mut file = if path.exists() { parse(path)? } else { File::default() };
        let Rights { read, register } = rights;
        file.tokens.retain(|token| token.name != name);
        file.tokens.push(Entry { name: name.to_owned(), sha256: self.sha256(), read, register });
        let mut json = serde_json::to_vec_pretty(&file).map_err(|error| BadTokens::new(path, error))?;
        json.push(b'\n');
        write(path, &json).map_err(|error| BadTokens::new(path, error))
    }
}

/// Under another name first: whoever reads it meanwhile reads all of it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::create_dir_all(dir)?;
    }
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// A file of tokens that is not one.
#[derive(Debug)]
pub struct BadTokens {
    path: String,
    reason: Box<dyn Error + Send + Sync>,
}

impl BadTokens {
    fn new(path: &Path, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { path: path.display().to_string(), reason: reason.into() }
    }
}

impl fmt::Display for BadTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no file of tokens: {}", self.path, self.reason)
    }
}

impl Error for BadTokens {}
