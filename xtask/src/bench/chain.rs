//! The topology that is measured: N+1 namespaces in a row, joined by N veth links with name, MAC, MTU, group, one queue,
//! alias and an IPv4 address on both ends. Says what it is, for each way of making it; deliberately makes nothing.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// The name of the topology, and of what the bare loop and `ip` make.
pub(crate) const NAME: &str = "bench";
/// IFLA_GROUP of everything; any number serves.
pub(crate) const GROUP: u32 = 0x4000_4711;
/// IFLA_MTU.
pub(crate) const MTU: u32 = 1500;
/// Two addresses each.
pub(crate) const PREFIX: u8 = 31;

/// So many links in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain(pub(crate) usize);

/// One end of a link.
pub(crate) struct End {
    /// The namespace's name, as `ip netns` has it.
    pub(crate) netns: String,
    /// The interface: `r` to the right, `l` to the left.
    pub(crate) ifname: &'static str,
    /// Its number, which no other link of the chain has.
    pub(crate) index: u32,
    /// Locally administered.
    pub(crate) mac: [u8; 6],
    /// The first or second of its /31.
    pub(crate) address: Ipv4Addr,
}

impl Chain {
    /// The names of the namespaces, from left to right.
    pub(crate) fn netns(self) -> impl Iterator<Item = String> + Send {
        (0..=self.0).map(netns)
    }

    /// Both ends of every link, from left to right.
    pub(crate) fn links(self) -> impl Iterator<Item = (End, End)> {
        (0..self.0).map(|at| (End::new(at, 0), End::new(at, 1)))
    }

    /// The same as a document for wireloom.
    pub(crate) fn document(self) -> String {
        let last = self.0;
        let mut text = format!("name: {NAME}\nnodes:\n  \"n[0-{last}]\": {{}}\nlinks:\n");
        let ends = format!("[\"n[0-{}]:r\", \"n[1-{last}]:l\"]", last - 1);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  - {{endpoints: {ends}, pairs: zip, mtu: {MTU}, subnet: 10.0.0.0/8}}");
        text
    }
}

impl End {
    fn new(link: usize, side: usize) -> End {
        let number = u32::try_from(2 * link + side).expect("no chain is that long");
        let [.., a, b, c] = number.to_be_bytes();
        End {
            netns: netns(link + side),
            ifname: ["r", "l"][side],
            index: number + 2,
            mac: [2, 0, 0, a, b, c],
            address: Ipv4Addr::new(10, a, b, c),
        }
    }

    /// As `ip` writes it.
    pub(crate) fn mac_text(&self) -> String {
        let [a, b, c, d, e, f] = self.mac;
        format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }

    /// A mark of the length that wireloom's have.
    pub(crate) fn alias(&self) -> String {
        format!("wireloom:{}:{}", self.netns.replace('.', "/"), self.ifname)
    }
}

fn netns(at: usize) -> String {
    format!("{NAME}.n{at}")
}
