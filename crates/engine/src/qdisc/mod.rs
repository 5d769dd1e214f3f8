//! The root queueing discipline of a link: impairment (netem) and rate (tbf), and the mark by which ours is known.

mod netem;
mod units;

use std::{fmt, mem::discriminant};

use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};
use serde::{Deserialize, Serialize};
use wireloom_netlink::{netem as emulator, tbf};

pub use self::netem::{Distribution, LossModel, Netem, Slot};
use self::units::Rate;

/// A root qdisc that a document asks for. Links without one keep the kernel's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Qdisc {
    /// Delay, loss and more, like `tc qdisc add dev LINK root netem delay 10ms loss 1%`.
    Netem(Netem),
    /// A rate, like `tc qdisc add dev LINK root tbf rate 10mbit burst 32kb latency 50ms`.
    Tbf(Tbf),
    /// Observed: another root qdisc that somebody has put there, by its kind.
    Other(String),
}

/// Options of tbf (token bucket filter).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tbf {
    /// Rate in bits a second, multiples of 8.
    pub rate_bit: u64,
    /// Size of the bucket, bytes.
    pub burst: u32,
    /// Bytes that may wait, at most.
    pub limit: u32,
}

/// Our mark: the major number of our root qdiscs' handles.
const HANDLE: u16 = 0x5757;

/// The kernel does not tell which distribution a delay has, and keeps it where a change does not name another. So each has
/// a handle of its own, in this order behind [`HANDLE`]: another distribution is then seen, and is another qdisc, as the
/// kernel puts a new one in the place of one with another handle.
const DISTRIBUTIONS: [Distribution; 3] = [Distribution::Normal, Distribution::Pareto, Distribution::Paretonormal];

impl Qdisc {
    /// Whether a handle with that major number is one of ours.
    pub fn is_ours(major: u16) -> bool {
        distribution(major).is_some()
    }

    /// A request to put this qdisc at the root of the link with that number, in the place of `from`.
    pub(crate) fn encode(&self, index: i32, from: Option<&Qdisc>) -> Option<TcMessage> {
        let changes = from.is_some_and(|from| self.replaces(from));
        let (kind, options) = match self {
            Qdisc::Netem(netem) if changes => (emulator::KIND, netem.to_kernel().encode_change()),
            Qdisc::Netem(netem) => (emulator::KIND, netem.to_kernel().encode()),
            Qdisc::Tbf(tbf) => (tbf::KIND, tbf.to_kernel().encode()),
            Qdisc::Other(_) => return None,
        };
        let mut message = self.root(index);
        message.attributes = vec![TcAttribute::Kind(kind.to_owned()), options];
        Some(message)
    }

    /// This root qdisc of ours on the link with that number, to be deleted.
    pub(crate) fn root(&self, index: i32) -> TcMessage {
        let mut message = TcMessage::default();
        message.header.index = index;
        message.header.parent = TcHandle::ROOT;
        message.header.handle = TcHandle { major: self.handle(), minor: 0 };
        message
    }

    fn handle(&self) -> u16 {
        let distribution = match self {
            Qdisc::Netem(netem) => netem.distribution,
            _ => None,
        };
        let place = distribution.and_then(|shape| DISTRIBUTIONS.iter().position(|known| *known == shape));
        HANDLE + place.map_or(0, |place| place as u16 + 1)
    }

    /// Whether the kernel can turn `from` into this one: it cannot put another kind in the place of one with the same
    /// handle.
    pub(crate) fn replaces(&self, from: &Qdisc) -> bool {
        discriminant(self) == discriminant(from) && self.handle() == from.handle()
    }

    /// What does the same where the kernel has no netem: a rate and nothing else is what a token bucket is for.
    pub(crate) fn without_netem(&self) -> Option<Qdisc> {
        match self {
            Qdisc::Netem(netem) if netem.is_only_a_rate() => Some(Qdisc::Tbf(Tbf::of_rate(netem.rate_bit))),
            _ => None,
        }
    }

    /// `None` for the kernel's own defaults, which have no handle.
    pub(crate) fn decode(message: &TcMessage) -> Option<Qdisc> {
        if message.header.parent != TcHandle::ROOT || message.header.handle.major == 0 {
            return None;
        }
        let kind = message.attributes.iter().find_map(|attribute| match attribute {
            TcAttribute::Kind(kind) => Some(kind.as_str()),
            _ => None,
        })?;
        let ours = match (distribution(message.header.handle.major), kind) {
            (Some(distribution), emulator::KIND) => wireloom_netlink::Netem::decode(&message.attributes)
                .map(|found| Qdisc::Netem(Netem { distribution, ..Netem::from_kernel(&found) })),
            (Some(None), tbf::KIND) => {
                wireloom_netlink::Tbf::decode(&message.attributes).map(|t| Qdisc::Tbf(Tbf::from_kernel(&t)))
            }
            _ => None,
        };
        Some(ours.unwrap_or_else(|| Qdisc::Other(kind.to_owned())))
    }

    /// Whether a kernel that was given this one reports `observed`: it rounds times and shares.
    pub(crate) fn is_met_by(&self, observed: Option<&Qdisc>) -> bool {
        match (self, observed) {
            (Qdisc::Tbf(wanted), Some(Qdisc::Tbf(found))) => wanted.to_kernel().matches(&found.to_kernel()),
            (Qdisc::Netem(wanted), Some(Qdisc::Netem(found))) => wanted.is_met_by(found),
            (Qdisc::Netem(_), Some(Qdisc::Tbf(_))) => self.without_netem().is_some_and(|tbf| tbf.is_met_by(observed)),
            (wanted, found) => Some(wanted) == found,
        }
    }
}

/// Which distribution a handle with that major number stands for; nothing for a handle that is not ours.
fn distribution(major: u16) -> Option<Option<Distribution>> {
    match major.checked_sub(HANDLE)? {
        0 => Some(None),
        place => DISTRIBUTIONS.get(usize::from(place) - 1).copied().map(Some),
    }
}

impl Tbf {
    /// A bucket of 4 ms, but of ten full packets at least, and 50 ms of waiting.
    pub fn of_rate(rate_bit: u64) -> Tbf {
        let bytes = rate_bit / 8;
        let burst = (bytes / 250).max(15_140);
        let limit = burst + bytes / 20;
        let most = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Tbf { rate_bit, burst: most(burst), limit: most(limit) }
    }

    fn to_kernel(&self) -> wireloom_netlink::Tbf {
        wireloom_netlink::Tbf { rate: self.rate_bit / 8, burst: self.burst, limit: self.limit }
    }

    fn from_kernel(tbf: &wireloom_netlink::Tbf) -> Tbf {
        Tbf { rate_bit: tbf.rate * 8, burst: tbf.burst, limit: tbf.limit }
    }
}

impl fmt::Display for Qdisc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Qdisc::Netem(netem) => write!(f, "netem{netem}"),
            Qdisc::Tbf(tbf) => write!(f, "tbf rate {} burst {} limit {}", Rate(tbf.rate_bit), tbf.burst, tbf.limit),
            Qdisc::Other(kind) => f.write_str(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(distribution: Option<Distribution>) -> Qdisc {
        Qdisc::Netem(Netem { delay_us: 30_000, jitter_us: 5000, distribution, ..Netem::default() })
    }

    /// As the kernel reports it: all but the table.
    fn reported(qdisc: &Qdisc) -> Option<Qdisc> {
        let mut message = qdisc.encode(7, None)?;
        if let Qdisc::Netem(netem) = qdisc {
            let bare = wireloom_netlink::Netem { distribution: None, ..netem.to_kernel() };
            message.attributes[1] = bare.encode();
        }
        Qdisc::decode(&message)
    }

    #[test]
    fn a_distribution_is_known_by_its_handle() {
        let all: Vec<Qdisc> = DISTRIBUTIONS.into_iter().map(Some).chain([None]).map(delay).collect();
        for (i, wanted) in all.iter().enumerate() {
            for (j, found) in all.iter().enumerate() {
                let found = reported(found).unwrap();
                assert_eq!(wanted.is_met_by(Some(&found)), i == j, "{wanted} by {found}");
                assert_eq!(wanted.replaces(&found), i == j, "another one is another qdisc");
            }
        }
        assert!(Qdisc::is_ours(0x5757) && Qdisc::is_ours(0x575a));
        assert!(!Qdisc::is_ours(0x5756) && !Qdisc::is_ours(0x575b) && !Qdisc::is_ours(1));
    }

    #[test]
    fn only_a_rate_alone_does_without_netem() {
        let rate = Netem { rate_bit: 8_000_000, ..Netem::default() };
        let bucket = Qdisc::Tbf(Tbf::of_rate(8_000_000));
        assert_eq!(Qdisc::Netem(rate.clone()).without_netem(), Some(bucket.clone()));
        assert!(Qdisc::Netem(rate.clone()).is_met_by(Some(&bucket)));
        for more in [Netem { limit: 5, ..rate.clone() }, Netem { loss: 1, ..rate.clone() }, Netem::default()] {
            assert_eq!(Qdisc::Netem(more.clone()).without_netem(), None, "{more}");
            assert!(!Qdisc::Netem(more).is_met_by(Some(&bucket)));
        }
    }
}
