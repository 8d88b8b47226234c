//! Where the lab's processes listen, and what they run.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use mainstay::Address;
use tokio::process::Command;

use super::{Conduct, LabRefused};
use crate::kind::Kind;

/// Where the lab's processes listen, and what they run.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The executable; it must know the demo's roles.
    pub executable: PathBuf,
    /// The registry's port.
    pub registry_port: u16,
    /// The port before ratings instance 1's.
    pub ratings_base_port: u16,
    /// The auction service's port.
    pub auction_port: u16,
    /// The port before bidder 1's.
    pub bidders_base_port: u16,
}

impl Bench {
    pub(super) fn registry(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.registry_port).into()
    }

    pub(super) fn auction(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.auction_port).into()
    }

    /// Where an instance listens.
    pub(crate) fn listens(&self, kind: Kind, number: u32) -> SocketAddr {
        let base = match kind {
            Kind::Ratings => self.ratings_base_port,
            Kind::Bidders => self.bidders_base_port,
        };
        // The numbers end at INSTANCES, and the demo's arguments leave that much room above the base port.
        let offset = u16::try_from(number).unwrap_or(u16::MAX);
        (Ipv4Addr::LOCALHOST, base.saturating_add(offset)).into()
    }

    /// Where an instance is found.
    pub(crate) fn address(&self, kind: Kind, number: u32) -> Address {
        kind.address(number, &Address::from(self.listens(kind, number)))
    }

    pub(super) fn registry_command(&self) -> Command {
        self.role("registry", self.registry())
    }

    pub(super) fn auction_command(&self) -> Command {
        let mut command = self.role("auction", self.auction());
        self.with_registry(&mut command);
        command
    }

    /// The conduct is a bidder's.
    pub(super) fn command(&self, kind: Kind, number: u32, conduct: &Conduct) -> Command {
        let role = match kind {
            Kind::Ratings => "ratings",
            Kind::Bidders => "bidder",
        };
        let mut command = self.role(role, self.listens(kind, number));
        command.args(["--instance", &number.to_string()]);
        self.with_registry(&mut command);
        if kind == Kind::Bidders {
            command.args([
                "--manner",
                &conduct.manner.to_string(),
                "--delay-ms",
                &conduct.delay.as_millis().to_string(),
            ]);
        }
        command
    }

    fn role(&self, role: &str, listen: SocketAddr) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["role", role, "--listen", &listen.to_string()]);
        command
    }

    fn with_registry(&self, command: &mut Command) {
        command.args(["--registry", Address::from(self.registry()).as_str()]);
    }
}

/// Somebody else's process on the port would be shown as ours.
pub(crate) fn check_free(address: SocketAddr) -> Result<(), LabRefused> {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(LabRefused::Busy(address.port())),
        Err(error) => Err(LabRefused::System(error)),
    }
}
