//! What is sent to one server: placeholders filled, lengths counted.
//!
//! A proof is computed when it is sent, so what holds one is put together then. Start at [`Built`].

use alloc::{boxed::Box, format, vec::Vec};
use core::fmt;

use super::{
    fill::Filler,
    login::Proof,
    said::{LARGEST, Part},
};
use crate::Mistake;

/// What is sent to one server.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) bytes: Vec<u8>,
    /// Where a byte of the message just read goes, and where in that message it stands.
    next: Vec<(usize, usize)>,
    /// The parts, where one of them is a proof: their bytes are known when they are sent.
    late: Option<Box<[Part]>>,
}

impl Built {
    /// Fills what is known before anything is sent.
    pub(super) fn new(parts: &[Part], filler: &Filler<'_>) -> Result<Self, Mistake> {
        let mut built = Self::default();
        if proofs(parts).next().is_some() {
            filler.server()?;
            built.late = Some(filled(parts, filler)?);
        } else {
            build(parts, &Values::Server(filler), &mut built)?;
        }
        Ok(built)
    }

    /// Returns the bytes for a connection on which this message was just read.
    pub(super) fn after(&self, message: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for (to, from) in &self.next {
            bytes[*to] = message.get(*from).copied().unwrap_or(0).wrapping_add(1);
        }
        bytes
    }

    /// Returns the proof that has to be computed first, and its user where the URL names none.
    pub(super) fn proof(&self) -> Option<(Proof, &str)> {
        proofs(self.late.as_ref()?).next()
    }

    /// Returns the bytes with this proof in them; none where they are too long.
    pub(super) fn proven(&self, proof: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        let mut built = Self::default();
        build(self.late.as_ref()?, &Values::Proof(proof), &mut built).ok()?;
        Some(built.after(message))
    }
}

/// How long it is: what is sent may hold a password.
impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Built({} bytes)", self.bytes.len())
    }
}

/// What placeholders are replaced by.
enum Values<'a> {
    Server(&'a Filler<'a>),
    Proof(&'a [u8]),
}

impl Values<'_> {
    fn too_long(&self, most: u64) -> Mistake {
        match self {
            Self::Server(filler) => filler.too_long(most),
            Self::Proof(_) => Filler::nobody().too_long(most),
        }
    }
}

/// The proofs among these parts.
pub(super) fn proofs(parts: &[Part]) -> Box<dyn Iterator<Item = (Proof, &str)> + '_> {
    Box::new(parts.iter().flat_map(|part| match part {
        Part::Fill(fill) => Box::new(fill.proof().into_iter()),
        Part::Length { inside, .. } | Part::Decimal { inside } => proofs(inside),
        Part::Bytes(_) | Part::Next { .. } => {
            Box::new(core::iter::empty()) as Box<dyn Iterator<Item = _>>
        }
    }))
}

/// The parts with every placeholder but the proof filled.
fn filled(parts: &[Part], filler: &Filler<'_>) -> Result<Box<[Part]>, Mistake> {
    let one = |part: &Part| {
        Ok(match part {
            Part::Fill(fill) if fill.proof().is_none() => {
                let mut bytes = Vec::new();
                filler.fill(fill, &mut bytes)?;
                Part::Bytes(bytes.into())
            }
            Part::Length { size, more, inside } => {
                Part::Length { size: *size, more: *more, inside: filled(inside, filler)? }
            }
            Part::Decimal { inside } => Part::Decimal { inside: filled(inside, filler)? },
            Part::Bytes(_) | Part::Next { .. } | Part::Fill(_) => part.clone(),
        })
    };
    parts.iter().map(one).collect()
}

fn build(parts: &[Part], values: &Values<'_>, built: &mut Built) -> Result<(), Mistake> {
    for part in parts {
        match part {
            Part::Bytes(bytes) => built.bytes.extend_from_slice(bytes),
            Part::Fill(fill) => match values {
                Values::Server(filler) => filler.fill(fill, &mut built.bytes)?,
                Values::Proof(proof) => built.bytes.extend_from_slice(proof),
            },
            Part::Next { at } => {
                built.next.push((built.bytes.len(), *at));
                built.bytes.push(0);
            }
            Part::Decimal { inside } => {
                let start = built.bytes.len();
                build(inside, values, built)?;
                let length = format!("{}\r\n", built.bytes.len() - start);
                built.bytes.splice(start..start, length.bytes());
                // A number from the message just read has moved.
                let moved = built.next.iter_mut().filter(|(to, _)| *to >= start);
                moved.for_each(|(to, _)| *to += length.len());
            }
            Part::Length { size, more, inside } => {
                let start = built.bytes.len();
                let body = start + size.width;
                built.bytes.resize(body, 0);
                build(inside, values, built)?;
                let length = (built.bytes.len() - body) as i64 + more;
                match u64::try_from(length).ok().filter(|length| *length <= size.most) {
                    Some(length) => size.write(length, &mut built.bytes[start..body]),
                    None => return Err(values.too_long(size.most)),
                }
            }
        }
        if built.bytes.len() > LARGEST {
            return Err(values.too_long(LARGEST as u64));
        }
    }
    Ok(())
}
