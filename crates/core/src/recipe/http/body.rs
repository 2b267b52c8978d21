//! The body of an HTTP answer: where it ends, and how it is written (RFC 9112, section 6).
//!
//! Start at [`Body`].

use alloc::{boxed::Box, format, vec::Vec};

use super::{Malformed, chunked::Chunks, gzip::Gunzip, head::Head};
use crate::nearest::quoted;

/// A body that is being read.
#[derive(Clone)]
pub(super) struct Body {
    frame: Frame,
    /// None where it is written as it is meant.
    gzip: Option<Box<Gunzip>>,
    /// How many bytes of it came, without the lines of chunks.
    came: u64,
}

/// Where a body ends.
#[derive(Clone)]
enum Frame {
    Length(u64),
    Chunks(Chunks),
    /// With the connection.
    Connection,
}

impl Body {
    /// The body of an answer that has none.
    pub(super) const fn none() -> Self {
        Self { frame: Frame::Length(0), gzip: None, came: 0 }
    }

    /// The body that follows these headers.
    pub(super) fn new(head: &Head) -> Result<Self, Malformed> {
        let unknown = |list: &str| {
            format!("its body is written as {}, which redial cannot read", quoted(list))
        };
        let frame = match &*head.list("transfer-encoding") {
            "" | "identity" => length(head)?.map_or(Frame::Connection, Frame::Length),
            "chunked" => Frame::Chunks(Chunks::default()),
            other => return Err(unknown(other)),
        };
        let gzip = match &*head.list("content-encoding") {
            "" | "identity" => None,
            "gzip" | "x-gzip" => Some(Box::default()),
            other => return Err(unknown(other)),
        };
        Ok(Self { frame, gzip, came: 0 })
    }

    /// Takes bytes, and appends what they mean to the text, up to the limit.
    pub(super) fn take(
        &mut self,
        bytes: &mut &[u8],
        text: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Malformed> {
        while !bytes.is_empty() && text.len() < limit {
            let piece = match &mut self.frame {
                Frame::Connection => core::mem::take(bytes),
                Frame::Chunks(chunks) => match chunks.take(bytes)? {
                    Some(piece) => piece,
                    None => return Ok(()),
                },
                Frame::Length(length) => {
                    let left = usize::try_from(length.saturating_sub(self.came));
                    let count = left.unwrap_or(usize::MAX).min(bytes.len());
                    let (piece, _) = bytes.split_at(count);
                    // What follows is no part of this answer.
                    *bytes = &[];
                    piece
                }
            };
            self.came = self.came.saturating_add(piece.len() as u64);
            match &mut self.gzip {
                Some(gzip) => gzip.take(piece, text, limit)?,
                None => {
                    let room = limit.saturating_sub(text.len());
                    text.extend_from_slice(&piece[..piece.len().min(room)]);
                }
            }
        }
        if self.is_framed_to_end() && self.gzip.as_ref().is_some_and(|gzip| !gzip.is_complete()) {
            return match text.len() < limit {
                true => Err("its gzip body is cut short".into()),
                false => Ok(()),
            };
        }
        Ok(())
    }

    fn is_framed_to_end(&self) -> bool {
        match &self.frame {
            Frame::Length(length) => self.came >= *length,
            Frame::Chunks(chunks) => chunks.is_complete(),
            Frame::Connection => false,
        }
    }

    /// Returns true if all of it was read.
    pub(super) fn is_complete(&self) -> bool {
        self.is_framed_to_end() && self.gzip.as_ref().is_none_or(|gzip| gzip.is_complete())
    }

    /// Returns true if it is whole when the connection ends here.
    pub(super) fn ends_with_connection(&self) -> bool {
        let is_whole = self.gzip.as_ref().is_none_or(|gzip| gzip.is_complete());
        matches!(self.frame, Frame::Connection) && is_whole
    }

    /// What is missing of it, as a sentence.
    pub(super) fn missing(&self) -> Malformed {
        match &self.frame {
            Frame::Length(length) => format!("its body ends after {} of {length} bytes", self.came),
            Frame::Chunks(_) => "its body ends within its chunks".into(),
            Frame::Connection => "its gzip body is cut short".into(),
        }
    }
}

/// Returns the length that the headers give; the same length twice is one.
fn length(head: &Head) -> Result<Option<u64>, Malformed> {
    let mut length = None;
    for value in head.all("content-length").flat_map(|value| value.split(',')) {
        let value = value.trim();
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<u64> = value.parse().ok().filter(|_| is_number);
        let number = number.ok_or("its Content-Length is no number")?;
        if length.is_some_and(|length| length != number) {
            return Err("two headers give two lengths of its body".into());
        }
        length = Some(number);
    }
    Ok(length)
}
