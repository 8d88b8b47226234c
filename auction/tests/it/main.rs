//! The auction over real HTTP, with a real registry and real bidders, on ports that are free.

#[cfg(test)]
mod bids;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http;
#[cfg(test)]
mod presence;
#[cfg(test)]
mod program;
#[cfg(test)]
mod quotes;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod support;
#[cfg(test)]
mod terms;
