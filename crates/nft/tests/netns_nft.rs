//! Tables and flows on a real kernel, read back with the programs `nft` and `conntrack`.

#![allow(missing_docs, reason = "a test")]

use std::net::{IpAddr, UdpSocket};

use wireloom_netlink::Error;
use wireloom_netns::Netns;
use wireloom_nft::{
    Chain, ChainType, Conntrack, Expression, Family, Hook, Hooked, Name, Nft, Policy, Rule, Table, Transaction,
};
use wireloom_testkit::{sandbox, sh};

const TCP: u8 = 6;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn name() -> Name {
    Name::new(Family::Inet, "wireloom_lab")
}

fn chain(name: &str, kind: ChainType, hook: Hook, priority: i32, rules: Vec<Rule>) -> Chain {
    let hooked = Some(Hooked { kind, hook, priority, policy: Policy::Accept });
    Chain { name: name.to_owned(), hooked, rules }
}

/// Every expression that we write.
fn table() -> Table {
    let (v4, v6) = (address("10.0.0.2"), address("fd00::2"));
    let mut table = Table::new(name());
    table.chains = vec![
        chain(
            "prerouting",
            ChainType::Nat,
            Hook::Prerouting,
            -100,
            vec![
                Rule::new().family_of(v4).to_this_host().dport(TCP, 8080).counter().dnat(v4, Some(80)).remark("one"),
                Rule::new().family_of(v6).daddr_not(address("::1")).counter(),
                Rule::new().daddr(v6, 128).dport(TCP, 8080).dnat(v6, Some(80)),
                Rule::new().iifname("eth0").daddr(address("192.0.2.1"), 32).dnat(v4, None),
            ],
        ),
        chain(
            "postrouting",
            ChainType::Nat,
            Hook::Postrouting,
            100,
            vec![
                Rule::new().oifname("eth0").redirected().saddr(address("127.0.0.0"), 8).masquerade(),
                Rule::new().saddr(address("fd00::"), 64).oifname_not("eth0").masquerade(),
                Rule::new().oifname("eth0").snat(address("192.0.2.1")),
            ],
        ),
        chain(
            "forward",
            ChainType::Filter,
            Hook::Forward,
            -1,
            vec![
                Rule::new().iifname("eth0").mark(0x4000_0000),
                Rule::new().oifname("eth0").answers().accept(),
                Rule::new().marked(0x4000_0000).accept(),
                Rule::new().iifname_not("lo").drop(),
            ],
        ),
        Chain { name: "extra".to_owned(), hooked: None, rules: Vec::new() },
    ];
    table.remark = Some(format!("wireloom:lab {:016x}", table.digest()));
    table
}

fn replace(nft: &mut Nft, table: &Table) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    transaction.replace(table);
    nft.commit(&transaction)
}

#[test]
fn a_table_is_read_as_it_was_written_and_as_nft_says_it() {
    sandbox(|| {
        let mut nft = Nft::open(&Netns::current().unwrap()).unwrap();
        replace(&mut nft, &table()).unwrap();
        assert_eq!(nft.table(&name()).unwrap(), Some(table()));
        assert_eq!(nft.tables().unwrap(), [(name(), table().remark)]);
        let shown = sh("nft list ruleset");
        for line in [
            r#"fib daddr type local tcp dport 8080 counter packets 0 bytes 0 dnat ip to 10.0.0.2:80 comment "one""#,
            "ip6 daddr != ::1 counter",
            "ip6 daddr fd00::2 tcp dport 8080 dnat ip6 to [fd00::2]:80",
            r#"iifname "eth0" ip daddr 192.0.2.1 dnat ip to 10.0.0.2"#,
            r#"oifname "eth0" ct status dnat ip saddr 127.0.0.0/8 masquerade"#,
            r#"ip6 saddr fd00::/64 oifname != "eth0" masquerade"#,
            r#"oifname "eth0" snat ip to 192.0.2.1"#,
            r#"iifname "eth0" meta mark set meta mark | 0x40000000"#,
            r#"oifname "eth0" ct state established,related accept"#,
            "meta mark & 0x40000000 == 0x40000000 accept",
            "type nat hook prerouting priority dstnat; policy accept;",
            "type filter hook forward priority filter - 1; policy accept;",
        ] {
            assert!(shown.contains(line), "{line}\n{shown}");
        }
        // What nft prints, nft takes.
        sh("nft list ruleset > /run/r && nft -c -f /run/r");
    });
}

#[test]
fn a_table_is_replaced_whole_and_a_broken_one_changes_nothing() {
    sandbox(|| {
        let mut nft = Nft::open(&Netns::current().unwrap()).unwrap();
        sh("nft add table ip others");
        replace(&mut nft, &table()).unwrap();
        let mut other = table();
        other.chains.truncate(1);
        other.chains[0].rules.truncate(1);
        replace(&mut nft, &other).unwrap();
        let before = sh("nft list ruleset");
        assert_eq!(before.matches("dnat ip").count(), 1, "one rule: {before}");
        let mut broken = table();
        broken.chains[2].rules.push(Rule::new().with(Expression::Other("nothing".to_owned(), Vec::new())));
        let error = replace(&mut nft, &broken).unwrap_err();
        assert!(error.to_string().contains("NFT_MSG_NEWRULE") && error.errno().is_some(), "{error}");
        assert_eq!(sh("nft list ruleset"), before);
        let mut transaction = Transaction::new();
        transaction.delete(&name());
        nft.commit(&transaction).unwrap();
        assert_eq!(nft.table(&name()).unwrap(), None);
        assert_eq!(sh("nft list ruleset").trim(), "table ip others {\n}");
        assert!(nft.commit(&transaction).is_err(), "it is gone already");
    });
}

#[test]
fn a_change_by_others_shows() {
    sandbox(|| {
        let mut nft = Nft::open(&Netns::current().unwrap()).unwrap();
        for change in [
            "nft add rule inet wireloom_lab forward counter",
            "nft add chain inet wireloom_lab more",
            "nft add set inet wireloom_lab s '{ type ipv4_addr; }'",
            "nft flush chain inet wireloom_lab postrouting",
            "nft chain inet wireloom_lab forward '{ policy drop; }'",
        ] {
            replace(&mut nft, &table()).unwrap();
            assert_eq!(nft.table(&name()).unwrap(), Some(table()));
            sh(change);
            assert_ne!(nft.table(&name()).unwrap(), Some(table()), "{change}");
        }
    });
}

#[test]
fn a_rule_goes_into_a_chain_of_others_and_out_again() {
    sandbox(|| {
        sh("nft 'add table ip filter; add chain ip filter DOCKER-USER; add rule ip filter DOCKER-USER return'");
        let before = sh("nft list ruleset");
        let mut nft = Nft::open(&Netns::current().unwrap()).unwrap();
        let docker = Name::new(Family::Ip, "filter");
        let rule = Rule::new().marked(0x4000_0000).accept().remark("wireloom:lab");
        let mut transaction = Transaction::new();
        transaction.insert_rule(&docker, "DOCKER-USER", &rule);
        nft.commit(&transaction).unwrap();
        let rules = nft.rules(&docker, "DOCKER-USER").unwrap();
        assert_eq!(rules.iter().position(|found| found.rule == rule), Some(0), "first of {rules:?}");
        let mut transaction = Transaction::new();
        transaction.delete_rule(&docker, "DOCKER-USER", rules[0].handle);
        nft.commit(&transaction).unwrap();
        assert_eq!(sh("nft list ruleset"), before);
        assert!(nft.has_chain(&docker, "DOCKER-USER").unwrap());
        assert!(!nft.has_chain(&Name::new(Family::Ip6, "filter"), "DOCKER-USER").unwrap());
    });
}

/// 3000 forwards are more than a socket takes without asking for room.
#[test]
fn a_large_table_is_one_transaction() {
    sandbox(|| {
        let mut nft = Nft::open(&Netns::current().unwrap()).unwrap();
        let rule = |port| Rule::new().to_this_host().dport(TCP, port).dnat(address("10.0.0.2"), Some(80));
        let mut large = table();
        large.chains[0].rules = (1..=3000).map(rule).collect();
        replace(&mut nft, &large).unwrap();
        assert_eq!(nft.table(&name()).unwrap(), Some(large));
    });
}

#[test]
fn a_flow_that_is_forgotten_is_gone_and_others_stay() {
    sandbox(|| {
        sh("ip link set lo up");
        let mut nft = Nft::open(&Netns::current().unwrap()).unwrap();
        let mut table = table();
        let rule = |from, to| Rule::new().to_this_host().dport(17, from).dnat(address("127.0.0.1"), Some(to));
        table.chains = vec![chain("output", ChainType::Nat, Hook::Output, -100, vec![rule(7, 9), rule(8, 9)])];
        replace(&mut nft, &table).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"x", "127.0.0.1:7").unwrap();
        socket.send_to(b"x", "127.0.0.1:8").unwrap();
        assert_eq!(sh("conntrack -L -p udp 2>/dev/null").matches("dport=").count(), 4, "two flows, both directions");
        let mut flows = Conntrack::open(&Netns::current().unwrap()).unwrap();
        let forgotten = flows.forget(|flow| {
            flow.original.protocol == 17
                && flow.original.destination == (address("127.0.0.1"), 7)
                && flow.reply.source == (address("127.0.0.1"), 9)
        });
        assert_eq!(forgotten.unwrap(), 1);
        let left = sh("conntrack -L -p udp 2>/dev/null");
        assert!(left.contains("dport=8 ") && !left.contains("dport=7 "), "{left}");
    });
}
