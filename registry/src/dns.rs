//! The registry as a name server, for programs that know names and addresses and nothing else.
//!
//! | Name, below `consul` unless told otherwise | Is |
//! |---|---|
//! | `[TAG.]NAME.service[.DC]` | the instances of a service, all or those with the tag |
//! | `_NAME._tcp[.service][.DC]`, `_NAME._udp…` | the same, as RFC 2782 writes it |
//! | `_NAME._TAG[.service][.DC]` | those with the tag |
//! | `[PORT.]HEX.addr[.DC]` | the address in the name, 8 digits or 32; with a port, the target of an `SRV` |
//! | `ns`, and the domain itself | this server: `A`, `AAAA`; `SOA`, `NS` |
//!
//! `DC` is the one datacentre that there is, also written `DC.dc`. There are no `node` names, as there are no nodes.
//!
//! | Asked for | Answered |
//! |---|---|
//! | `A`, `AAAA` | each address once; where there is none, one of the host names, as a `CNAME` |
//! | `SRV` | port, weight and target of each instance, and the targets' addresses where there is room |
//! | `ANY` | `A` and `AAAA`, as Consul does: nobody needs everything at once but who wants it sent to somebody else |
//! | anything else | nothing, and that the name exists |
//!
//! **Who is answered**: those who are up. If nobody is, those who are silent or suspect: no answer helps nobody, and a
//! call finds out more than a missed beat says. Who is draining never is.
//!
//! **In which order**: another one each time, so that whoever takes the first takes everybody in turn. Nothing is to be
//! kept, as every time to live is 0.
//!
//! **Which name exists**: one that somebody has registered. A service with nobody to answer is an empty answer, and no
//! `NXDOMAIN`; nor are the names between, such as `service.consul`, or a resolver that asks for these first would stop.
//!
//! **When it does not fit**: additional records go first, which the client can ask for. If answers must go too, `TC` says
//! so, and all of them come over TCP, up to the 64 KiB that a message may have.
//!
//! `hickory-proto` reads and writes. `hickory-server` was rejected: it starts a task for each datagram and takes any
//! number of connections, so that a client decides how much work and memory there is.

mod answer;
mod cache;
mod config;
mod group;
mod label;
mod question;
mod reply;
mod resolver;
mod serve;
mod shuffled;
mod tcp;
mod udp;
mod view;
mod zone;

#[cfg(test)]
mod tests;

pub use self::config::{Config, Limits};
pub use self::label::{BadLabel, Datacentre, Domain};
pub use self::resolver::{Names, Resolver, Transport};
pub use self::serve::serve;
