//! The hub over real HTTP, in this process and in one of its own, on ports that are free.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod program;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod refuses;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod support;
