//! What the command line says: which instances run in this process, and where.

use std::error::Error;
use std::fmt;
use std::net::Ipv4Addr;

use clap::Parser;
use mainstay::Address;

use crate::{Config, Plan};

/// Numbers that stand for an instance rather than for a port.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=999;

/// Runs instances of the ratings service.
#[derive(Debug, Parser)]
#[command(name = "ratings-service", version, after_help = EXAMPLES)]
pub struct Args {
    /// Run instances 1 to N in this process
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u32).range(1..=999))]
    count: Option<u32>,

    /// Run instance N, on port 8000 + N [default: 1]
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u32).range(1..=999))]
    instance: Option<u32>,

    /// Run the instance of this port
    #[arg(long, value_name = "P", group = "which", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = "http://127.0.0.1:8500")]
    registry: Address,

    /// The port before instance 1's
    #[arg(long, value_name = "PORT", default_value_t = 8000, hide = true)]
    base_port: u16,
}

const EXAMPLES: &str = "\
Examples:
  ratings-service                   instance 1, on http://127.0.0.1:8001
  ratings-service --count 3         instances 1, 2 and 3; one ^C ends them all
  ratings-service --instance 2      one more, in a terminal of its own: ^C, ^Z and fg are its own too
  curl http://127.0.0.1:8001/ratings/camera";

impl Args {
    /// The instances these arguments ask for.
    ///
    /// # Errors
    /// When an instance would listen on a port above 65535.
    pub fn plans(&self) -> Result<Vec<Plan>, BadArgs> {
        if let Some(port) = self.port {
            let port = u32::from(port);
            let number = port.checked_sub(self.base_port.into()).filter(|number| NUMBERS.contains(number));
            return Ok(vec![self.plan(number.unwrap_or(port), port)?]);
        }
        let numbers = match self.count {
            Some(count) => 1..=count,
            None => {
                let number = self.instance.unwrap_or(1);
                number..=number
            }
        };
        numbers.map(|number| self.plan(number, u32::from(self.base_port) + number)).collect()
    }

    fn plan(&self, number: u32, port: u32) -> Result<Plan, BadArgs> {
        let port = u16::try_from(port).map_err(|_| BadArgs { number, port })?;
        let config = Config { number, registry: self.registry.clone() };
        Ok(Plan { config, listen: (Ipv4Addr::LOCALHOST, port).into() })
    }
}

/// An instance's port does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadArgs {
    number: u32,
    port: u32,
}

impl fmt::Display for BadArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instance {} would need port {}, and ports end at 65535", self.number, self.port)
    }
}

impl Error for BadArgs {}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(line: &str) -> Result<Vec<(u32, u16)>, String> {
        let words = std::iter::once("ratings-service").chain(line.split_whitespace());
        let args = Args::try_parse_from(words).map_err(|error| error.to_string())?;
        let plans = args.plans().map_err(|error| error.to_string())?;
        Ok(plans.iter().map(|plan| (plan.config.number, plan.listen.port())).collect())
    }

    #[test]
    fn arguments_say_which_instances_run_where() {
        for (line, expected) in [
            ("", vec![(1, 8001)]),
            ("--instance 2", vec![(2, 8002)]),
            ("--count 3", vec![(1, 8001), (2, 8002), (3, 8003)]),
            ("--port 8004", vec![(4, 8004)]),
            ("--port 8999", vec![(999, 8999)]),
            ("--port 8000", vec![(8000, 8000)]),
            ("--port 9000", vec![(9000, 9000)]),
            ("--port 80", vec![(80, 80)]),
            ("--instance 1 --base-port 8100", vec![(1, 8101)]),
            ("--port 8101 --base-port 8100", vec![(1, 8101)]),
        ] {
            assert_eq!(plans(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn arguments_out_of_range_are_refused_with_the_reason() {
        for (line, why) in [
            ("--count 0", "0 is not in 1..=999"),
            ("--count 1000", "1000 is not in 1..=999"),
            ("--instance 0", "0 is not in 1..=999"),
            ("--instance -1", "unexpected argument"),
            ("--instance one", "invalid digit"),
            ("--port 0", "0 is not in 1.."),
            ("--port 65536", "65536 is not in"),
            ("--count 2 --instance 1", "cannot be used with"),
            ("--port 8001 --instance 1", "cannot be used with"),
            ("--registry https://x:1", "scheme"),
            ("--instance 999 --base-port 65000", "ports end at 65535"),
        ] {
            let error = plans(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error:?} does not say {why:?}");
        }
    }
}
