//! Keys of wireguard: 32 bytes, written in base64. Does not know Curve25519: the kernel makes the public key of a private one.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// A public key, as `wg pubkey` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey(pub(super) [u8; 32]);

/// A private or preshared key, as `wg genkey` and `wg genpsk` print it. Nothing that prints it for people shows it; as data
/// it is written whole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SecretKey(pub(super) [u8; 32]);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 32 bytes in base64: 44 characters that end with `=`")]
pub struct KeyError;

impl SecretKey {
    /// A new private key, like `wg genkey`.
    ///
    /// # Errors
    /// The kernel has no random numbers yet.
    pub fn generate() -> Result<SecretKey, Errno> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| Errno::EAGAIN)?;
        Ok(SecretKey(bytes).clamped())
    }

    /// As the kernel makes it when it is set as a private key (RFC 7748, section 5): clamped before, it reads back the same.
    #[must_use]
    pub fn clamped(self) -> SecretKey {
        let mut bytes = self.0;
        bytes[0] &= 0xf8;
        bytes[31] = (bytes[31] & 0x7f) | 0x40;
        SecretKey(bytes)
    }

    /// In base64, for files that only root reads.
    pub fn reveal(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        bytes(text).map(PublicKey)
    }
}

/// Takes what [`reveal`](SecretKey::reveal) gives.
impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<SecretKey, KeyError> {
        bytes(text).map(SecretKey)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<PublicKey, KeyError> {
        text.parse()
    }
}

impl TryFrom<String> for SecretKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<SecretKey, KeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

impl From<SecretKey> for String {
    fn from(key: SecretKey) -> String {
        key.reveal()
    }
}

fn bytes(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| KeyError)?;
    bytes.try_into().map_err(|_| KeyError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_written_and_secrets_do_not_show() {
        let secret = SecretKey::generate().expect("random numbers");
        let text = secret.reveal();
        assert_eq!((text.len(), text.parse()), (44, Ok(secret.clone())));
        assert!(!format!("{secret:?}").contains(&text[..8]));
        assert_ne!(SecretKey::generate(), Ok(secret));
        let public: PublicKey = text.parse().expect("as long as a public one");
        assert_eq!(public.to_string(), text);
        let random: SecretKey = "/////////////////////////////////////////38=".parse().expect("a key");
        assert_eq!(random.clamped().reveal(), "+P///////////////////////////////////////38=");
        for bad in ["", "x", "AAAA", &text[1..], &format!("{text}{text}")] {
            assert_eq!(bad.parse::<PublicKey>(), Err(KeyError), "{bad}");
        }
    }
}
