//! Quotes over real HTTP and real messages, with a real registry and real providers, on ports that are free.

mod answers;
mod away;
mod ends;
mod exchange;
mod kill;
mod live;
mod providers;
mod requests;
mod restart;
