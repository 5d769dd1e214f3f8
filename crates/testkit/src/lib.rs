//! What tests need to run against a real kernel: a throwaway machine ([`sandbox`]), an observer that is not our own
//! code ([`ip`], [`netns_dump`]), skips that are counted ([`needs!`]), and the binary under test ([`wireloom`]).
//!
//! Dev only. It deliberately knows none of our crates: a test that checked Wireloom with Wireloom would prove nothing.

mod observe;
mod probe;
mod process;
mod sandbox;

pub use observe::{assert_same_dump, host_dump, ip, ip_in, netns_dump};
pub use probe::{has_kind, record_skip};
pub use process::{Run, eventually, run, sh, sh_in, wireloom, wireloom_run};
pub use sandbox::sandbox;
