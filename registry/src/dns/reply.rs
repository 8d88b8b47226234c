//! What goes out: as much of an answer as fits.

use std::iter;

use hickory_proto::ProtoError;
use hickory_proto::op::{Edns, Header, HeaderCounts, Metadata, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, Place};

use super::question::Asked;
use super::udp::LONGEST;

/// Whose record it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner<'a> {
    /// The name that stands at this offset of the message.
    At(u16),
    /// A name that may not stand there yet.
    Named(&'a Name),
}

/// The name that was asked for, which stands behind the header.
pub(super) const ASKED: Owner<'_> = Owner::At(12);
/// Offsets from here on do not fit into a pointer.
const BEYOND_POINTERS: usize = 0x4000;

/// Why there is no reply.
pub(super) type Failed = ProtoError;

/// A reply that is being written.
pub(super) struct Reply<'a> {
    encoder: BinEncoder<'a>,
    place: Place<Header>,
    head: Metadata,
    counts: HeaderCounts,
    limit: u16,
    options: Option<Record>,
}

impl<'a> Reply<'a> {
    /// Of up to `limit` bytes, of which there are at least 512.
    pub(super) fn new(bytes: &'a mut Vec<u8>, asked: &Asked, limit: u16) -> Result<Self, Failed> {
        let mut encoder = BinEncoder::new(bytes);
        let place = encoder.place::<Header>()?;
        let mut counts = HeaderCounts::default();
        if let Some(question) = &asked.question {
            question.emit(&mut encoder)?;
            counts.queries = 1;
        }
        let head = Metadata::response_from_request(&asked.head);
        let options = asked.edns.is_some().then(options);
        // Room for the options, so that records do not push them out.
        encoder.set_max_size(limit - if options.is_some() { OPTIONS } else { 0 });
        Ok(Self { encoder, place, head, counts, limit, options })
    }

    /// What came of the question.
    pub(super) fn code(&mut self, code: ResponseCode) {
        self.head.response_code = code;
    }

    /// The name is one of ours.
    pub(super) fn authoritative(&mut self) {
        self.head.authoritative = true;
    }

    /// Writes an answer. If it does not fit, the reply says so, and that ends it.
    pub(super) fn answer(&mut self, owner: Owner<'_>, data: &RData) -> Result<bool, Failed> {
        let fits = self.write(owner, data)?;
        self.head.truncation |= !fits;
        self.counts.answers += u16::from(fits);
        Ok(fits)
    }

    /// Writes who says that there is nothing, if that fits.
    pub(super) fn authority(&mut self, owner: Owner<'_>, data: &RData) -> Result<bool, Failed> {
        let fits = self.write(owner, data)?;
        self.counts.authorities += u16::from(fits);
        Ok(fits)
    }

    /// Writes what may be of use besides, if that fits.
    pub(super) fn additional(&mut self, owner: Owner<'_>, data: &RData) -> Result<bool, Failed> {
        let fits = self.write(owner, data)?;
        self.counts.additionals += u16::from(fits);
        Ok(fits)
    }

    /// The offset of the last `length` bytes written, if a pointer can say it.
    pub(super) fn offset_of_last(&self, length: usize) -> Option<u16> {
        let offset = self.encoder.offset() - length;
        u16::try_from(offset).ok().filter(|offset| usize::from(*offset) < BEYOND_POINTERS)
    }

    /// Writes what comes last, and first.
    pub(super) fn end(mut self) -> Result<(), Failed> {
        self.encoder.set_max_size(self.limit);
        if let Some(mut options) = self.options {
            options.ttl = u32::from(self.head.response_code.high()) << 24;
            options.emit(&mut self.encoder)?;
            self.counts.additionals += 1;
        }
        self.encoder.emit_at(self.place, Header { metadata: self.head, counts: self.counts })
    }

    fn write(&mut self, owner: Owner<'_>, data: &RData) -> Result<bool, Failed> {
        match self.encoder.emit_all(iter::once(&Line { owner, data })) {
            Ok(_) => Ok(true),
            Err(ProtoError::NotAllRecordsWritten { .. }) => {
                // It has only stepped back, over what it wrote of the record.
                self.encoder.trim();
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// Bytes of an `OPT` record without options.
const OPTIONS: u16 = 11;

/// What the other side is told of us: the longest query.
fn options() -> Record {
    let mut edns = Edns::new();
    edns.set_max_payload(u16::try_from(LONGEST).unwrap_or(u16::MAX));
    Record::from(&edns)
}

/// A record. The codec's own looks for each of its names among those already written, and gives that up after some; we
/// know where they are.
struct Line<'a> {
    owner: Owner<'a>,
    data: &'a RData,
}

impl BinEncodable for Line<'_> {
    fn emit(&self, encoder: &mut BinEncoder<'_>) -> Result<(), Failed> {
        match self.owner {
            Owner::At(offset) => encoder.emit_u16(0xC000 | offset)?,
            Owner::Named(name) => name.emit(encoder)?,
        }
        self.data.record_type().emit(encoder)?;
        DNSClass::IN.emit(encoder)?;
        // Not to be kept.
        encoder.emit_u32(0)?;
        let length = encoder.place::<u16>()?;
        self.data.emit(encoder)?;
        let written = u16::try_from(encoder.len_since_place(&length)).unwrap_or(u16::MAX);
        encoder.emit_at(length, written)
    }
}
