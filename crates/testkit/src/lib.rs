//! What tests need to run against a real kernel: a throwaway machine ([`sandbox`]), an observer that is not our own
//! code (`ip -j`), skips that are counted ([`needs!`]), and the binary under test ([`wireloom`]).
//!
//! Dev only. It deliberately knows none of our crates: a test that checked Wireloom with Wireloom would prove nothing.

mod sandbox;

pub use sandbox::sandbox;
