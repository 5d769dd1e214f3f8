//! nftables over netlink: whole tables, sent in one transaction and read back as what was sent; and the flows that
//! conntrack remembers, which outlive the rule that began them.
//!
//! Owns the wire format, tables and expressions. Deliberately does not know why a rule is wanted, and never touches what it
//! was not told to.

mod chain;
mod conntrack;
mod expression;
mod matching;
mod nft;
mod remark;
mod table;
mod transaction;
mod wire;

pub use chain::{Chain, ChainType, Hook, Hooked, Policy};
pub use conntrack::{Conntrack, Flow, Tuple};
pub use expression::{Code, Compare, Expression, Register};
pub use matching::Rule;
pub use nft::{Found, Nft};
pub use table::{Family, Name, Table};
pub use transaction::Transaction;
