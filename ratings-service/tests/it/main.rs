//! The ratings service over real HTTP, on ports that are free.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod presence;
#[cfg(test)]
mod program;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod rolling;
#[cfg(test)]
mod support;
