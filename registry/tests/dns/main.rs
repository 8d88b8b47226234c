//! The registry as a name server, as its clients meet it: over sockets, polite or not, and as `dig` does.

mod bounds;
mod dig;
mod server;
mod sockets;
mod speed;
