//! Which modules the guest loads, in which order: what was asked for and all that it needs, by depmod's index.
//! Deliberately does not know what a module is for, beyond the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// What the guest exists for. Those that a kernel has built in, or does not have at all, are passed over: a test that
/// needs one says so.
const WANTED: &[&str] = &[
    "veth",
    "bridge",
    "8021q",
    "dummy",
    "vxlan",
    "geneve",
    "macvlan",
    "macvtap",
    "ipvlan",
    "ipvtap",
    "vrf",
    "ifb",
    "tun",
    "netkit",
    "wireguard",
    "bonding",
    "team",
    "ip_tunnel",
    "ip_gre",
    "ip6_gre",
    "ipip",
    "sit",
    "ip6_tunnel",
    "sch_netem",
    "sch_tbf",
    "sch_htb",
    "sch_ingress",
    "sch_fq_codel",
    "act_mirred",
    "act_gact",
    "cls_u32",
    "cls_matchall",
    "cls_flower",
    "cls_bpf",
    "br_netfilter",
    "nf_tables",
    "nft_chain_nat",
    "nft_nat",
    "nft_masq",
    "nft_ct",
    "nft_redir",
    "nft_fib_inet",
    "nft_reject_inet",
    "nf_conntrack",
    "mpls_router",
    "mpls_iptunnel",
];

/// Files of modules below the modules folder, each after all that it needs.
pub(super) fn in_loading_order(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file).map_err(Error::file("read", file))
    };
    let index = Index::parse(&read("modules.dep")?, &read("modules.softdep")?);
    Ok(index.closure(WANTED).into_iter().map(|path| folder.join(path)).collect())
}

/// depmod's index.
struct Index {
    /// Files by module name.
    files: BTreeMap<String, String>,
    /// Names that have to be loaded before, by module name.
    needs: BTreeMap<String, Vec<String>>,
}

impl Index {
    /// Reads modules.dep (`a.ko: b.ko c.ko`, where the last is loaded first) and modules.softdep (`softdep a pre: b`).
    fn parse(dep: &str, softdep: &str) -> Self {
        let mut index = Self { files: BTreeMap::new(), needs: BTreeMap::new() };
        for (file, needs) in dep.lines().filter_map(|line| line.split_once(':')) {
            index.files.insert(name(file), file.to_owned());
            index.needs.insert(name(file), needs.split_whitespace().rev().map(name).collect());
        }
        for words in softdep.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()) {
            if let ["softdep", module, rest @ ..] = &words[..] {
                let pre = rest.iter().skip_while(|it| **it != "pre:").skip(1).take_while(|it| **it != "post:");
                index.needs.entry(name(module)).or_default().extend(pre.map(|it| name(it)));
            }
        }
        index
    }

    /// The files of the wanted modules and of all that they need, which comes first.
    fn closure(&self, wanted: &[&str]) -> Vec<&str> {
        let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
        wanted.iter().for_each(|module| self.visit(&name(module), &mut seen, &mut order));
        order
    }

    /// Depth first; a module that is not in the index is built in or does not exist.
    fn visit<'a>(&'a self, module: &str, seen: &mut BTreeSet<String>, order: &mut Vec<&'a str>) {
        if !seen.insert(module.to_owned()) {
            return;
        }
        self.needs.get(module).into_iter().flatten().for_each(|need| self.visit(need, seen, order));
        order.extend(self.files.get(module).map(String::as_str));
    }
}

/// A module's name from its file or from a list: `kernel/net/8021q/8021q.ko.xz` is 8021q; `-` and `_` are the same.
fn name(file: &str) -> String {
    let base = file.rsplit('/').next().unwrap_or(file);
    base.split(".ko").next().unwrap_or(base).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_loaded_first_and_once() {
        let dep = "n/vxlan.ko.xz: n/udp_tunnel.ko.xz n/ip6-udp.ko.xz\nn/udp_tunnel.ko.xz: n/ip6-udp.ko.xz\n\
                   n/ip6-udp.ko.xz:\nn/geneve.ko.xz: n/udp_tunnel.ko.xz n/ip6-udp.ko.xz\nn/crc.ko.xz:\n";
        let index = Index::parse(dep, "softdep geneve pre: crc post: vxlan\nsoftdep builtin pre: crc\n");
        let udp = ["n/ip6-udp.ko.xz", "n/udp_tunnel.ko.xz"];
        assert_eq!(index.closure(&["vxlan", "no-such"]), [udp[0], udp[1], "n/vxlan.ko.xz"]);
        assert_eq!(index.closure(&["geneve", "ip6_udp"]), [udp[0], udp[1], "n/crc.ko.xz", "n/geneve.ko.xz"]);
    }
}
