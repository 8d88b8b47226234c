//! From the bytes of a query to those of its answer.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::op::{Query, ResponseCode};
use hickory_proto::rr::RecordType;
use mainstay_contracts::registry::Listed;
use tracing::warn;

use super::cache::Views;
use super::question::{self, Asked};
use super::reply::{Failed, Reply};
use super::zone::{Meaning, Zone};
use super::{Config, answer};

/// What the registry knows, by name.
pub trait Names: Send + Sync {
    /// Of which revision a service is, which is another one when its instances are; nothing if nobody has registered for
    /// it. Asked for each query, so it should be no more than looking up.
    fn revision(&self, service: &str) -> Option<u64>;

    /// The instances of a service at that revision or a later one, in any order. Asked for when it has changed.
    fn instances(&self, service: &str) -> Vec<Arc<Listed>>;
}

/// The longest answer that every client can take, and the least that one can ask for.
const LEAST: u16 = 512;

/// How a query came, which says how long its answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// 512 bytes, or as many as the query allows.
    Udp,
    /// 65 535 bytes.
    Tcp,
}

/// Answers queries, without a socket: everything that a client can send meets this first.
pub struct Resolver {
    zone: Zone,
    views: Views,
    payload: u16,
}

impl Resolver {
    /// Answers from `names`. `own` is where the server itself is reached, if that is known.
    pub fn new(names: Arc<dyn Names>, config: &Config, own: Option<IpAddr>) -> Self {
        let payload = config.limits.payload.clamp(LEAST, super::udp::PAYLOAD);
        Self { zone: Zone::new(config, own), views: Views::new(names), payload }
    }

    /// The answer to a message, if it deserves one: what is too short to be a query, or is itself an answer, does not.
    pub fn answer(&self, message: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let (asked, checked) = question::read(message)?;
        let mut bytes = Vec::with_capacity(usize::from(LEAST));
        match self.reply(&asked, checked, transport, &mut bytes) {
            Ok(()) => Some(bytes),
            Err(error) => {
                warn!(%error, question = ?asked.question, "a query was not answered");
                None
            }
        }
    }

    fn reply(
        &self,
        asked: &Asked,
        checked: Result<(), ResponseCode>,
        transport: Transport,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        let limit = match (transport, &asked.edns) {
            (Transport::Tcp, _) => u16::MAX,
            (Transport::Udp, Some(edns)) => edns.max_payload().clamp(LEAST, self.payload),
            (Transport::Udp, None) => LEAST,
        };
        let mut reply = Reply::new(bytes, asked, limit)?;
        match (checked, &asked.question) {
            (Ok(()), Some(question)) => self.look_up(question, &mut reply)?,
            (Err(code), _) => reply.code(code),
            (Ok(()), None) => reply.code(ResponseCode::FormErr),
        }
        reply.end()
    }

    fn look_up(&self, question: &Query, reply: &mut Reply<'_>) -> Result<(), Failed> {
        let (zone, kind) = (&self.zone, question.query_type);
        let meaning = zone.read(&question.name);
        if meaning == Meaning::Outside {
            reply.code(ResponseCode::Refused);
            return Ok(());
        }
        reply.authoritative();
        let answered = match meaning {
            Meaning::Outside | Meaning::Nothing => None,
            Meaning::Between => Some(false),
            Meaning::Apex => Some(answer::apex(zone, kind, reply)?),
            Meaning::Server => Some(zone.own.map_or(Ok(false), |own| answer::one(own, kind, reply))?),
            Meaning::Address(address) => Some(answer::one(address, kind, reply)?),
            Meaning::Service { name, tag } => self.service(&name, tag.as_deref(), kind, reply)?,
        };
        match answered {
            Some(true) => Ok(()),
            Some(false) => answer::nothing(zone, ResponseCode::NoError, reply),
            None => answer::nothing(zone, ResponseCode::NXDomain, reply),
        }
    }

    /// Nothing when nobody has registered for it, or nobody has the tag.
    fn service(
        &self,
        name: &str,
        tag: Option<&str>,
        kind: RecordType,
        reply: &mut Reply<'_>,
    ) -> Result<Option<bool>, Failed> {
        let Some(view) = self.views.of(name) else { return Ok(None) };
        view.group(tag).map(|group| answer::group(&self.zone, &view, group, kind, reply)).transpose()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("zone", &self.zone).field("views", &self.views).finish_non_exhaustive()
    }
}
