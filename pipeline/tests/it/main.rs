//! Tasks and sensors over real HTTP, with a real registry, messages and records on disk, on ports that are free.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod history;
#[cfg(test)]
mod http;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod lateness;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod plant;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod readings;
#[cfg(test)]
mod sensors;
#[cfg(test)]
mod sharing;
