//! The write-ahead log, before SQLite takes it for granted.
//!
//! SQLite ends reading at the first frame that is not sound, as a crash leaves one behind: of the last transaction, which
//! nobody was told is on disk. A frame that is not sound in the middle is another matter: commits behind it were
//! acknowledged, and would be lost without a word. The format is that of SQLite's documentation, "WAL-mode File Format".

use std::fs;
use std::io;
use std::path::Path;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// What the log looks like.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) damage: Option<String>,
}

pub(super) fn look(path: &Path) -> io::Result<Log> {
    match fs::read(path) {
        Ok(bytes) => Ok(Log { damage: damage(&bytes) }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Log::default()),
        Err(error) => Err(io::Error::new(error.kind(), format!("{} cannot be read: {error}", path.display()))),
    }
}

/// Says what is wrong, if commits follow where reading would end.
fn damage(bytes: &[u8]) -> Option<String> {
    let (header, frames) = bytes.split_at_checked(HEADER)?;
    let big = match word(header, 0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        // A log is made anew with its first commit; before that, it may be anything.
        _ => return (frames.len() > FRAME).then(|| "its log does not begin as one".to_owned()),
    };
    let page = usize::try_from(word(header, 8)).ok().filter(|page| page.is_power_of_two())?;
    let salts = header.get(16..24)?;
    let mut sum = checksum((0, 0), header.get(..24)?, big);
    if sum != (word(header, 24), word(header, 28)) {
        return (frames.len() > FRAME).then(|| "the head of its log is not what was written".to_owned());
    }
    let (mut sound, mut unsound, mut commits_behind) = (0, None, 0);
    for frame in frames.chunks_exact(FRAME + page) {
        if frame.get(8..16) != Some(salts) {
            // Left over from a log before this one, or damaged just there: what follows tells.
            unsound.get_or_insert(false);
            continue;
        }
        let is_commit = word(frame, 4) != 0;
        if unsound.is_some() {
            commits_behind += usize::from(is_commit);
            continue;
        }
        sum = checksum(checksum(sum, &frame[..8], big), &frame[FRAME..], big);
        if sum == (word(frame, 16), word(frame, 20)) {
            sound += 1;
        } else {
            unsound = Some(is_commit);
        }
    }
    // The end of the transaction that is damaged may be that of a crash; one behind it is not.
    let acknowledged = match unsound? {
        true => commits_behind,
        false => commits_behind.saturating_sub(1),
    };
    (acknowledged > 0)
        .then(|| format!("its log is damaged after {sound} frames, and {acknowledged} commits came after that"))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn checksum((mut first, mut second): (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let number = |four: &[u8]| {
        let four = four.try_into().unwrap_or_default();
        if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for eight in bytes.chunks_exact(8) {
        first = first.wrapping_add(number(&eight[..4])).wrapping_add(second);
        second = second.wrapping_add(number(&eight[4..])).wrapping_add(first);
    }
    (first, second)
}
