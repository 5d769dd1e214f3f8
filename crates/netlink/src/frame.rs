//! Netlink framing: messages in a datagram, the kernel's error and done messages, and what their extended ack says.
//! Does not know what the messages mean and does no I/O.

use nix::errno::Errno;

use crate::Error;
use crate::kernel::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS};

/// The length of `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;

/// One message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) payload: &'a [u8],
}

/// The kernel's refusal: a number, and from the extended ack the reason in words and the place of the offence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errno: Errno,
    pub(crate) message: Option<String>,
    pub(crate) offset: Option<u32>,
    pub(crate) missing: Option<u32>,
}

impl Refusal {
    /// The error that a caller gets.
    pub(crate) fn of(self, request: &'static str) -> Error {
        let Refusal { errno, message, offset, missing } = self;
        Error::Refused { request, errno, message, offset, missing }
    }
}

/// The messages in a datagram; an error for one that is cut off.
pub(crate) fn frames(datagram: &[u8]) -> impl Iterator<Item = Result<Frame<'_>, &'static str>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let frame = frame(rest);
        let used = frame.map_or(rest.len(), |frame| (HEADER + frame.payload.len()).next_multiple_of(4));
        rest = rest.get(used..).unwrap_or_default();
        Some(frame)
    })
}

fn frame(bytes: &[u8]) -> Result<Frame<'_>, &'static str> {
    let length = u32_at(bytes, 0).ok_or("a message header is cut off")? as usize;
    let payload = bytes.get(HEADER..length).ok_or("a message is cut off")?;
    let flags_and_kind = u32_at(bytes, 4).ok_or("a message header is cut off")?.to_ne_bytes();
    let sequence = u32_at(bytes, 8).ok_or("a message header is cut off")?;
    let [kind_0, kind_1, flags_0, flags_1] = flags_and_kind;
    Ok(Frame {
        kind: u16::from_ne_bytes([kind_0, kind_1]),
        flags: u16::from_ne_bytes([flags_0, flags_1]),
        sequence,
        payload,
    })
}

/// Reads the payload of an error message: nothing for an ack, else the refusal.
pub(crate) fn refusal_of_error(frame: &Frame<'_>) -> Result<Option<Refusal>, &'static str> {
    let code = i32_at(frame.payload, 0).ok_or("an error message is cut off")?;
    if code == 0 {
        return Ok(None);
    }
    // The header of the refused request follows, and, unless capped, the request itself.
    let quoted = match frame.flags & NLM_F_CAPPED {
        0 => u32_at(frame.payload, 4).map_or(HEADER, |length| (length as usize).next_multiple_of(4)),
        _ => HEADER,
    };
    Ok(Some(refusal(frame, code, 4 + quoted)))
}

/// Reads the payload of a done message: nothing when the dump went well, else the refusal.
pub(crate) fn refusal_of_done(frame: &Frame<'_>) -> Option<Refusal> {
    // The kernel may send a done message without a code.
    let code = i32_at(frame.payload, 0).filter(|code| *code < 0)?;
    Some(refusal(frame, code, 4))
}

fn refusal(frame: &Frame<'_>, code: i32, attributes_at: usize) -> Refusal {
    let mut refusal =
        Refusal { errno: Errno::from_raw(code.saturating_neg()), message: None, offset: None, missing: None };
    if frame.flags & NLM_F_ACK_TLVS == 0 {
        return refusal;
    }
    for (kind, value) in attributes(frame.payload.get(attributes_at..).unwrap_or_default()) {
        match kind {
            NLMSGERR_ATTR_MSG => refusal.message = Some(text(value)),
            NLMSGERR_ATTR_OFFS => refusal.offset = u32_at(value, 0),
            NLMSGERR_ATTR_MISS_TYPE => refusal.missing = u32_at(value, 0),
            _ => {}
        }
    }
    refusal
}

/// The attributes in these bytes, as type and value; ends at the first that is cut off.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    const TYPE: u16 = 0x3fff;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & TYPE;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Appends an attribute, padded to four bytes.
pub(crate) fn push_attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).expect("our attributes are a few bytes, or a rate table of 1 KiB");
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel answered to a link of MTU 1 (only the place and the words are kept): header, code, quoted
    /// header, attributes.
    fn error_message(flags: u16, quoted: usize) -> Vec<u8> {
        let mut payload = (-22i32).to_ne_bytes().to_vec();
        payload.extend(u32::try_from(HEADER + quoted).expect("small").to_ne_bytes());
        payload.resize(4 + HEADER + quoted, 0);
        push_attribute(&mut payload, NLMSGERR_ATTR_MSG, b"mtu less than device minimum\0");
        push_attribute(&mut payload, NLMSGERR_ATTR_OFFS, &52u32.to_ne_bytes());
        let mut message = u32::try_from(HEADER + payload.len()).expect("small").to_ne_bytes().to_vec();
        message.extend(2u16.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend(7u32.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(payload);
        message
    }

    fn refusal_in(bytes: &[u8]) -> Refusal {
        let frame = frames(bytes).next().expect("one frame").expect("whole");
        assert_eq!((frame.kind, frame.sequence), (2, 7));
        refusal_of_error(&frame).expect("whole").expect("refused")
    }

    #[test]
    fn the_words_of_a_refusal_are_read_behind_a_capped_and_a_quoted_request() {
        for (flags, quoted) in [(NLM_F_ACK_TLVS | NLM_F_CAPPED, 0), (NLM_F_ACK_TLVS, 36)] {
            let refusal = refusal_in(&error_message(flags, quoted));
            assert_eq!(refusal.errno, Errno::EINVAL);
            assert_eq!(refusal.message.as_deref(), Some("mtu less than device minimum"));
            assert_eq!(refusal.offset, Some(52));
        }
    }

    #[test]
    fn without_the_flag_no_words_are_read() {
        assert_eq!(refusal_in(&error_message(NLM_F_CAPPED, 0)).message, None);
    }

    #[test]
    fn a_message_that_is_cut_off_is_an_error() {
        let whole = error_message(NLM_F_ACK_TLVS | NLM_F_CAPPED, 0);
        for length in 1..whole.len() {
            assert!(frames(&whole[..length]).next().expect("one").is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_datagram_holds_several_messages() {
        let one = error_message(NLM_F_ACK_TLVS | NLM_F_CAPPED, 0);
        let two = [one.clone(), one].concat();
        assert_eq!(frames(&two).filter(Result::is_ok).count(), 2);
    }
}
