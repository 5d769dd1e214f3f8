//! Remarks that the `nft` program shows as `comment "..."`: user data of tables and rules, which the kernel keeps and does
//! not read.

/// NFTNL_UDATA_TABLE_COMMENT and NFTNL_UDATA_RULE_COMMENT of libnftnl: both are 0.
const COMMENT: u8 = 0;
/// The kernel takes 256 bytes of user data in all. The `nft` program shows as much, and takes 128 of its users.
pub(crate) const MOST: usize = 200;

/// User data: a type, a length, and a text that ends with a zero byte. What is too long is cut off.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let mut end = text.len().min(MOST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let length = u8::try_from(end + 1).expect("cut off above");
    [&[COMMENT, length], &text.as_bytes()[..end], &[0]].concat()
}

/// The remark in user data, if there is one.
pub(crate) fn decode(mut data: &[u8]) -> Option<String> {
    while let [kind, length, rest @ ..] = data {
        let value = rest.get(..usize::from(*length))?;
        if *kind == COMMENT {
            let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
            return str::from_utf8(&value[..end]).ok().map(str::to_owned);
        }
        data = &rest[value.len()..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_read_as_it_was_written() {
        assert_eq!(decode(&encode("wireloom:lab 0123")).as_deref(), Some("wireloom:lab 0123"));
        assert_eq!(decode(&[7, 1, 9, 0, 3, b'a', b'b', 0]).as_deref(), Some("ab"), "behind something else");
        assert_eq!(decode(&encode(&"ä".repeat(200))).map(|text| text.len()), Some(MOST));
        for broken in [&[][..], &[0], &[0, 5, b'a'], &[0, 1, 0xff]] {
            assert_eq!(decode(broken), None, "{broken:?}");
        }
    }
}
