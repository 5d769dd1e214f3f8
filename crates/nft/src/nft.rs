//! nftables of one namespace: reading tables, and committing a transaction.

use wireloom_netlink::{Answer, Netfilter, NetfilterRequest, Result};
use wireloom_netns::Netns;

use crate::transaction::{
    NFTA_CHAIN_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_TABLE, NFTA_TABLE_NAME,
    NFTA_TABLE_USERDATA, NFTABLES,
};
use crate::wire::{Reader, Writer};
use crate::{Chain, Family, Hooked, Name, Rule, Table, Transaction, remark};

/// A short-lived socket for nftables in one namespace.
#[derive(Debug)]
pub struct Nft(Netfilter);

/// A rule that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which one: [`Transaction::delete_rule`] takes it.
    pub handle: u64,
    /// What it says.
    pub rule: Rule,
}

impl Nft {
    /// Opens it, whatever namespace the calling thread is in.
    ///
    /// # Errors
    /// The socket could not be made.
    pub fn open(netns: &Netns) -> Result<Nft> {
        Netfilter::open(netns).map(Nft)
    }

    /// All tables of the families that we know, with their remarks; like `nft list tables`.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn tables(&mut self) -> Result<Vec<(Name, Option<String>)>> {
        let mut all = Vec::new();
        for family in [Family::Inet, Family::Ip, Family::Ip6] {
            for answer in self.dump("NFT_MSG_GETTABLE", 1, family, Writer::new())? {
                let table = Reader(&answer.attributes);
                let remark = table.bytes(NFTA_TABLE_USERDATA).and_then(remark::decode);
                all.extend(table.text(NFTA_TABLE_NAME).map(|name| (Name { family, name }, remark)));
            }
        }
        Ok(all)
    }

    /// A table with all that is in it, if it is there; like `nft list table`.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn table(&mut self, name: &Name) -> Result<Option<Table>> {
        let Some((_, remark)) = self.tables()?.into_iter().find(|(found, _)| found == name) else { return Ok(None) };
        let mut table = Table { remark, ..Table::new(name.clone()) };
        for (chain, hooked) in self.chains(name)? {
            let rules = self.rules(name, &chain)?.into_iter().map(|found| found.rule).collect();
            table.chains.push(Chain { name: chain, hooked, rules });
        }
        table.others = self.has_others(name)?;
        Ok(Some(table))
    }

    /// Whether there is a chain of that name.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn has_chain(&mut self, table: &Name, chain: &str) -> Result<bool> {
        Ok(self.chains(table)?.iter().any(|(name, _)| name == chain))
    }

    /// The rules of a chain, in order; none where there is no such chain. Like `nft -a list chain`.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn rules(&mut self, table: &Name, chain: &str) -> Result<Vec<Found>> {
        let filter = Writer::new().text(NFTA_RULE_TABLE, &table.name).text(NFTA_RULE_CHAIN, chain);
        let answers = self.dump("NFT_MSG_GETRULE", 7, table.family, filter)?;
        let of_chain = answers.iter().map(|answer| Reader(&answer.attributes)).filter(|rule| {
            rule.text(NFTA_RULE_TABLE).as_deref() == Some(&table.name)
                && rule.text(NFTA_RULE_CHAIN).as_deref() == Some(chain)
        });
        Ok(of_chain
            .filter_map(|rule| Some(Found { handle: rule.u64(NFTA_RULE_HANDLE)?, rule: Rule::read(rule) }))
            .collect())
    }

    /// Does all of it or nothing; like `nft -f`.
    ///
    /// # Errors
    /// The first refusal, with the kernel's words.
    pub fn commit(&mut self, transaction: &Transaction) -> Result<()> {
        self.0.transact(transaction.requests())
    }

    fn chains(&mut self, table: &Name) -> Result<Vec<(String, Option<Hooked>)>> {
        let answers = self.dump("NFT_MSG_GETCHAIN", 4, table.family, Writer::new())?;
        let of_table = answers.iter().map(|answer| Reader(&answer.attributes));
        let of_table = of_table.filter(|chain| chain.text(NFTA_CHAIN_TABLE).as_deref() == Some(&table.name));
        Ok(of_table.filter_map(|chain| Some((chain.text(NFTA_CHAIN_NAME)?, Hooked::read(chain)))).collect())
    }

    /// Sets, objects and flow tables: their first attribute is the name of their table.
    fn has_others(&mut self, table: &Name) -> Result<bool> {
        let mut others = false;
        for (name, message) in [("NFT_MSG_GETSET", 10), ("NFT_MSG_GETOBJ", 19), ("NFT_MSG_GETFLOWTABLE", 23)] {
            let filter = Writer::new().text(1, &table.name);
            let answers = self.dump(name, message, table.family, filter)?;
            others |= answers.iter().any(|it| Reader(&it.attributes).text(1).as_deref() == Some(&table.name));
        }
        Ok(others)
    }

    fn dump(&mut self, name: &'static str, message: u16, family: Family, filter: Writer) -> Result<Vec<Answer>> {
        let (kind, family, attributes) = (NFTABLES | message, family as u8, filter.finish());
        self.0.dump(&NetfilterRequest { name, kind, flags: 0, family, attributes })
    }
}
