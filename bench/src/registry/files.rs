//! How many connections there may be.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::Failed;

/// Descriptors for everything that is not a connection of the many.
const OTHERS: u64 = 500;

/// Lets this process and its children have so many connections, as far as the system allows.
pub(crate) fn allow(connections: u32) -> Result<(), Failed> {
    let wanted = u64::from(connections) + OTHERS;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|most| *most < wanted) {
        return Err(format!("{connections} connections take {wanted} open files, and {most} are allowed").into());
    }
    limit.current = Some(wanted);
    Ok(setrlimit(Resource::Nofile, limit)?)
}
