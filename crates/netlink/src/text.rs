//! Names and aliases of links that are not UTF-8, which the kernel takes from anybody: one such link must not make a
//! namespace unreadable. Does not know what a link is for.

use crate::frame::u16_at;

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
/// struct ifinfomsg.
const LINK_HEADER: usize = 16;
const IFLA_IFNAME: u16 = 3;
const IFLA_IFALIAS: u16 = 20;

/// A message about a link in which each byte that is not UTF-8 is replaced: by a question mark in an alias, and in a name
/// by a slash, which no name of ours has. Nothing where there is no such byte.
pub(crate) fn legible(kind: u16, payload: &[u8]) -> Option<Vec<u8>> {
    if !matches!(kind, RTM_NEWLINK | RTM_DELLINK) {
        return None;
    }
    let mut legible = payload.to_vec();
    let mut at = LINK_HEADER;
    while let (Some(length), Some(kind)) = (u16_at(&legible, at), u16_at(&legible, at + 2)) {
        let length = usize::from(length).max(4);
        let Some(value) = legible.get_mut(at + 4..at + length) else { break };
        match kind {
            IFLA_IFNAME => replace(value, b'/'),
            IFLA_IFALIAS => replace(value, b'?'),
            _ => {}
        }
        at += length.next_multiple_of(4);
    }
    (legible != payload).then_some(legible)
}

fn replace(text: &mut [u8], by: u8) {
    let mut at = 0;
    while let Some(Err(error)) = text.get(at..).map(str::from_utf8) {
        at += error.valid_up_to();
        let wrong = error.error_len().unwrap_or(text.len() - at);
        text[at..at + wrong].fill(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::push_attribute;

    fn message(name: &[u8], alias: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; LINK_HEADER];
        push_attribute(&mut bytes, IFLA_IFNAME, name);
        push_attribute(&mut bytes, 1, &[0xff; 6]);
        push_attribute(&mut bytes, IFLA_IFALIAS, alias);
        bytes
    }

    #[test]
    fn only_text_is_replaced_and_only_what_is_not_utf8() {
        let found = legible(RTM_NEWLINK, &message(b"v\xff\0", b"caf\xe9 \xc3\xa9 \xe2\x82\0"));
        assert_eq!(found, Some(message(b"v/\0", b"caf? \xc3\xa9 ??\0")));
        assert_eq!(legible(RTM_NEWLINK, &message(b"v0\0", "café\0".as_bytes())), None);
        assert_eq!(legible(RTM_DELLINK + 1, &message(b"v\xff\0", b"\0")), None);
    }

    #[test]
    fn a_message_that_is_cut_off_is_read_to_its_end() {
        let whole = message(b"v\xff\0", b"\xff\0");
        for length in 0..whole.len() {
            let found = legible(RTM_NEWLINK, &whole[..length]);
            assert!(found.is_none_or(|found| found.len() == length), "{length} bytes");
        }
    }
}
