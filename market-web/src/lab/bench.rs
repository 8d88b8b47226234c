//! Where the lab's processes listen, and what they run.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use mainstay::Address;
use tokio::process::Command;

use super::{Conduct, LabRefused, Ports};
use crate::kind::Kind;

/// Where the lab's processes listen, and what they run.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The executable; it must know the demo's roles.
    pub executable: PathBuf,
    /// Where they listen.
    pub ports: Ports,
    /// The directory for what some of them keep.
    pub data: PathBuf,
}

impl Bench {
    pub(super) fn registry(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.registry_port).into()
    }

    /// Where an instance listens.
    pub(crate) fn listens(&self, kind: Kind, number: u32) -> SocketAddr {
        // The numbers end at the kind's most, and the demo's arguments leave that much room above the base port.
        let offset = u16::try_from(number).unwrap_or(u16::MAX);
        (Ipv4Addr::LOCALHOST, (kind.base_port)(&self.ports).saturating_add(offset)).into()
    }

    /// Where an instance is found.
    pub(crate) fn address(&self, kind: Kind, number: u32) -> Address {
        kind.address(number, &Address::from(self.listens(kind, number)))
    }

    pub(super) fn registry_command(&self) -> Command {
        self.role("registry", self.registry())
    }

    pub(super) fn command(&self, kind: Kind, number: u32, conduct: &Conduct) -> Command {
        let mut command = self.role(kind.name, self.listens(kind, number));
        command.args(["--instance", &number.to_string()]);
        command.args(["--registry", Address::from(self.registry()).as_str()]);
        command.arg("--data").arg(&self.data);
        if kind == Kind::Bidders {
            command.args(["--manner", &conduct.manner.to_string()]);
        }
        if matches!(kind, Kind::Bidders | Kind::Backends) {
            command.args(["--delay-ms", &conduct.delay.as_millis().to_string()]);
        }
        command
    }

    fn role(&self, role: &str, listen: SocketAddr) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["role", role, "--listen", &listen.to_string()]);
        command
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
