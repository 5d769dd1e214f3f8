//! Changes of tables that are done together or not at all. Does no I/O.

use wireloom_netlink::NetfilterRequest;

use crate::wire::Writer;
use crate::{Name, Rule, Table};

/// NFNL_SUBSYS_NFTABLES, in the high byte of a message's type.
pub(crate) const NFTABLES: u16 = 10 << 8;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;

pub(crate) const NFTA_TABLE_NAME: u16 = 1;
pub(crate) const NFTA_TABLE_USERDATA: u16 = 6;
pub(crate) const NFTA_CHAIN_TABLE: u16 = 1;
pub(crate) const NFTA_CHAIN_NAME: u16 = 3;
pub(crate) const NFTA_RULE_TABLE: u16 = 1;
pub(crate) const NFTA_RULE_CHAIN: u16 = 2;
pub(crate) const NFTA_RULE_HANDLE: u16 = 3;

/// Requests for [`Nft::commit`](crate::Nft::commit).
#[derive(Debug, Clone, Default)]
pub struct Transaction(Vec<NetfilterRequest>);

impl Transaction {
    /// Nothing yet.
    pub fn new() -> Transaction {
        Transaction::default()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn requests(&self) -> &[NetfilterRequest] {
        &self.0
    }

    /// `add table T; delete table T; table T { ... }`: packets meet the old one or the new one, never none.
    pub fn replace(&mut self, table: &Table) {
        self.add_table(&table.name, None);
        self.delete(&table.name);
        self.add_table(&table.name, table.user_data());
        for chain in &table.chains {
            let attributes = Writer::new().text(NFTA_CHAIN_TABLE, &table.name.name).text(NFTA_CHAIN_NAME, &chain.name);
            let attributes = attributes.optional(chain.hooked, |writer, hooked| hooked.write(writer));
            self.push("NFT_MSG_NEWCHAIN", 3, NLM_F_CREATE, &table.name, attributes);
        }
        for chain in &table.chains {
            for rule in &chain.rules {
                self.push("NFT_MSG_NEWRULE", 6, NLM_F_CREATE | NLM_F_APPEND, &table.name, at(table, &chain.name, rule));
            }
        }
    }

    /// `delete table T`: an error where there is none.
    pub fn delete(&mut self, name: &Name) {
        self.push("NFT_MSG_DELTABLE", 2, 0, name, Writer::new().text(NFTA_TABLE_NAME, &name.name));
    }

    /// `insert rule T CHAIN ...`: before all others of the chain.
    pub fn insert_rule(&mut self, table: &Name, chain: &str, rule: &Rule) {
        let attributes = Writer::new().text(NFTA_RULE_TABLE, &table.name).text(NFTA_RULE_CHAIN, chain);
        self.push("NFT_MSG_NEWRULE", 6, NLM_F_CREATE, table, rule.write(attributes));
    }

    /// `delete rule T CHAIN handle N`
    pub fn delete_rule(&mut self, table: &Name, chain: &str, handle: u64) {
        let attributes = Writer::new().text(NFTA_RULE_TABLE, &table.name).text(NFTA_RULE_CHAIN, chain);
        self.push("NFT_MSG_DELRULE", 8, 0, table, attributes.u64(NFTA_RULE_HANDLE, handle));
    }

    fn add_table(&mut self, name: &Name, user_data: Option<Vec<u8>>) {
        let attributes = Writer::new().text(NFTA_TABLE_NAME, &name.name).u32(2, 0);
        let attributes = attributes.optional(user_data, |writer, data| writer.bytes(NFTA_TABLE_USERDATA, &data));
        self.push("NFT_MSG_NEWTABLE", 0, NLM_F_CREATE, name, attributes);
    }

    fn push(&mut self, name: &'static str, message: u16, flags: u16, of: &Name, attributes: Writer) {
        let (kind, family, attributes) = (NFTABLES | message, of.family as u8, attributes.finish());
        self.0.push(NetfilterRequest { name, kind, flags, family, attributes });
    }
}

fn at(table: &Table, chain: &str, rule: &Rule) -> Writer {
    rule.write(Writer::new().text(NFTA_RULE_TABLE, &table.name.name).text(NFTA_RULE_CHAIN, chain))
}
