//! Netlink attributes: writing nested ones, and reading them back. Knows no attribute by name.

/// NLA_F_NESTED of linux/netlink.h.
const NESTED: u16 = 0x8000;
/// What is left of a type without its flags.
const TYPE: u16 = 0x3fff;

/// Attributes while they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Writer {
        Writer::default()
    }

    /// Attributes that were written or read before.
    pub(crate) fn raw(attributes: &[u8]) -> Writer {
        Writer(attributes.to_vec())
    }

    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Writer {
        self.put(kind, value);
        self
    }

    /// Numbers of nftables and conntrack go over the wire with the high byte first.
    pub(crate) fn u32(self, kind: u16, value: u32) -> Writer {
        self.bytes(kind, &value.to_be_bytes())
    }

    pub(crate) fn u64(self, kind: u16, value: u64) -> Writer {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// A text, and the zero byte that ends it.
    pub(crate) fn text(self, kind: u16, value: &str) -> Writer {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat())
    }

    pub(crate) fn nest(self, kind: u16, inner: Writer) -> Writer {
        self.bytes(kind | NESTED, &inner.0)
    }

    pub(crate) fn optional<T>(self, value: Option<T>, write: impl FnOnce(Writer, T) -> Writer) -> Writer {
        match value {
            Some(value) => write(self, value),
            None => self,
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).expect("rules are a few hundred bytes long");
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// Attributes that were read. Whatever is cut off is not there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn all(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let [a, b, c, d] = *rest.first_chunk()?;
            let (length, kind) = (usize::from(u16::from_ne_bytes([a, b])), u16::from_ne_bytes([c, d]) & TYPE);
            let value = rest.get(4..length)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            Some((kind, value))
        })
    }

    pub(crate) fn bytes(self, kind: u16) -> Option<&'a [u8]> {
        self.all().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    pub(crate) fn nest(self, kind: u16) -> Option<Reader<'a>> {
        self.bytes(kind).map(Reader)
    }

    pub(crate) fn u8(self, kind: u16) -> Option<u8> {
        self.bytes(kind)?.first().copied()
    }

    pub(crate) fn u16(self, kind: u16) -> Option<u16> {
        Some(u16::from_be_bytes(*self.bytes(kind)?.first_chunk()?))
    }

    pub(crate) fn u32(self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(*self.bytes(kind)?.first_chunk()?))
    }

    pub(crate) fn u64(self, kind: u16) -> Option<u64> {
        Some(u64::from_be_bytes(*self.bytes(kind)?.first_chunk()?))
    }

    /// A text up to its zero byte; bytes that are not UTF-8 become question marks.
    pub(crate) fn text(self, kind: u16) -> Option<String> {
        let bytes = self.bytes(kind)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Some(String::from_utf8_lossy(&bytes[..end]).replace(char::REPLACEMENT_CHARACTER, "?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Writer::new().u32(1, 0x01020304).bytes(2, &[7]);
        let bytes = Writer::new().text(5, "wl").nest(6, inner).u64(7, 9).finish();
        let all = Reader(&bytes);
        assert_eq!(all.text(5).as_deref(), Some("wl"));
        let inner = all.nest(6).unwrap();
        assert_eq!((inner.u32(1), inner.u8(2), inner.u32(2), all.u64(7)), (Some(0x01020304), Some(7), None, Some(9)));
    }

    #[test]
    fn what_is_cut_off_is_not_there() {
        let bytes = Writer::new().u32(1, 5).u32(2, 6).finish();
        for length in 0..bytes.len() {
            let read = Reader(&bytes[..length]);
            assert_eq!(read.u32(1), (length >= 8).then_some(5), "{length} bytes");
            assert_eq!(read.u32(2), None, "{length} bytes");
        }
    }
}
