//! A link-layer address of six bytes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A MAC address, written `02:00:00:00:00:01`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// The text is not a MAC address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MacError {
    /// Not six bytes in hexadecimal.
    #[error("{0:?} is not six bytes like 02:00:00:00:00:01")]
    Form(String),
    /// All zero, or the group bit is set: the kernel refuses it with EADDRNOTAVAIL.
    #[error("{0} is a {1} address, an interface needs a unicast one")]
    NotUnicast(String, &'static str),
}

impl Mac {
    /// An address that is the same whenever it is made from the same parts. It begins with `c2:` (locally
    /// administered, unicast), as conlink's do.
    pub fn stable(parts: &[&str]) -> Mac {
        let bytes: Vec<&[u8]> = parts.iter().map(|p| p.as_bytes()).collect();
        let [a, b, c, d, e, ..] = crate::stable_hash(&bytes).to_be_bytes();
        Mac([0xc2, a, b, c, d, e])
    }
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let form = || MacError::Form(text.into());
        let parts: Vec<&str> = text.split([':', '-']).collect();
        let mut bytes = [0; 6];
        if parts.len() != bytes.len() {
            return Err(form());
        }
        for (byte, part) in bytes.iter_mut().zip(parts) {
            let hexadecimal = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
            *byte = u8::from_str_radix(part, 16).ok().filter(|_| hexadecimal).ok_or_else(form)?;
        }
        match bytes {
            [0, 0, 0, 0, 0, 0] => Err(MacError::NotUnicast(text.into(), "zero")),
            [first, ..] if first & 1 == 1 => Err(MacError::NotUnicast(text.into(), "group")),
            _ => Ok(Mac(bytes)),
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

crate::name::text_serde!(Mac);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unicast_addresses_are_taken() {
        assert_eq!("2:0:0:0:0:1".parse::<Mac>().unwrap().to_string(), "02:00:00:00:00:01");
        for bad in
            ["", "02:00:00:00:00", "02:00:00:00:00:001", "01:00:5e:00:00:01", "00:00:00:00:00:00", "+2:0:0:0:0:1"]
        {
            assert!(bad.parse::<Mac>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_stable_address_stays_and_tells_parts_apart() {
        assert_eq!(Mac::stable(&["t", "r1", "eth1"]), Mac::stable(&["t", "r1", "eth1"]));
        assert_ne!(Mac::stable(&["t", "r1", "eth1"]), Mac::stable(&["t", "r1e", "th1"]));
        assert_eq!(Mac::stable(&["t", "r1", "eth1"]).0[0], 0xc2);
    }
}
