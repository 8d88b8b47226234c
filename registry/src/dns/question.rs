//! What comes in: bytes of anybody's.

use hickory_proto::op::{Edns, Header, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

/// What somebody asks, as far as it could be read.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) head: Metadata,
    pub(super) question: Option<Query>,
    pub(super) edns: Option<Edns>,
}

/// Reads a message. Nothing is what is not answered: too short to be one, or itself an answer, as two servers could
/// otherwise talk for ever.
pub(super) fn read(message: &[u8]) -> Option<(Asked, Result<(), ResponseCode>)> {
    let mut decoder = BinDecoder::new(message);
    let header = Header::read(&mut decoder).ok()?;
    if header.metadata.message_type == MessageType::Response {
        return None;
    }
    let mut asked = Asked { head: header.metadata, question: None, edns: None };
    let checked = check(&mut asked, &header, &mut decoder);
    Some((asked, checked))
}

fn check(asked: &mut Asked, header: &Header, decoder: &mut BinDecoder<'_>) -> Result<(), ResponseCode> {
    let malformed = |_| ResponseCode::FormErr;
    if header.metadata.op_code != OpCode::Query {
        return Err(ResponseCode::NotImp);
    }
    // Before anything is read, as it says how much there is to read.
    if (header.counts.queries, header.counts.answers, header.counts.authorities) != (1, 0, 0) {
        return Err(ResponseCode::FormErr);
    }
    let question = asked.question.insert(Query::read(decoder).map_err(malformed)?);
    let additionals = usize::from(header.counts.additionals);
    let (_, edns, _) = Message::read_records(decoder, additionals, true, OpCode::Query).map_err(malformed)?;
    if !decoder.is_empty() {
        return Err(ResponseCode::FormErr);
    }
    asked.edns = edns;
    if asked.edns.as_ref().is_some_and(|edns| edns.version() != 0) {
        return Err(ResponseCode::BADVERS);
    }
    match (question.query_class, question.query_type) {
        (_, RecordType::OPT) => Err(ResponseCode::FormErr),
        // Nobody transfers the zone.
        (DNSClass::IN, RecordType::AXFR | RecordType::IXFR) => Err(ResponseCode::Refused),
        (DNSClass::IN, _) => Ok(()),
        _ => Err(ResponseCode::Refused),
    }
}
