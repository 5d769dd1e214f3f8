//! The root queueing discipline of a link: impairment (netem) and rate (tbf).

use std::fmt;

use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};
use serde::{Deserialize, Serialize};
use wireloom_netlink::{netem, tbf};

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

/// Options of netem. Chances are in millionths, so that they compare exactly: 1 % is 10,000.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Netem {
    /// Delay of every packet, microseconds.
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub delay_us: u64,
    /// Spread of the delay, microseconds.
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub jitter_us: u64,
    /// How much a delay depends on the one before.
    #[serde(skip_serializing_if = "is_zero")]
    pub delay_correlation: u32,
    /// Chance that a packet is lost.
    #[serde(skip_serializing_if = "is_zero")]
    pub loss: u32,
    /// How much a loss depends on the one before.
    #[serde(skip_serializing_if = "is_zero")]
    pub loss_correlation: u32,
    /// Chance that a packet is doubled.
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicate: u32,
    /// Chance that a bit of a packet is flipped.
    #[serde(skip_serializing_if = "is_zero")]
    pub corrupt: u32,
    /// Chance that a packet is sent at once, past the delayed ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub reorder: u32,
    /// Rate in bits a second; 0 is no limit.
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub rate_bit: u64,
    /// Packets in the queue at most; 0 is the kernel's default of 1000.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit: u32,
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

/// Millionths in a whole.
const WHOLE: f64 = 1_000_000.0;

/// Our mark: the major number of our root qdiscs' handles.
const HANDLE: u16 = 0x5757;

impl Qdisc {
    /// A request to put this qdisc at the root of the link with that number.
    pub(crate) fn encode(&self, index: i32) -> Option<TcMessage> {
        let (kind, options) = match self {
            Qdisc::Netem(netem) => (netem::KIND, netem.to_kernel().encode()),
            Qdisc::Tbf(tbf) => (tbf::KIND, tbf.to_kernel().encode()),
            Qdisc::Other(_) => return None,
        };
        let mut message = Qdisc::root(index);
        message.attributes = vec![TcAttribute::Kind(kind.to_owned()), options];
        Some(message)
    }

    /// The root qdisc of ours on the link with that number, to be deleted.
    pub(crate) fn root(index: i32) -> TcMessage {
        let mut message = TcMessage::default();
        message.header.index = index;
        message.header.parent = TcHandle::ROOT;
        message.header.handle = TcHandle { major: HANDLE, minor: 0 };
        message
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
        let ours = match (message.header.handle.major, kind) {
            (HANDLE, netem::KIND) => {
                wireloom_netlink::Netem::decode(&message.attributes).map(|n| Qdisc::Netem(Netem::from_kernel(&n)))
            }
            (HANDLE, tbf::KIND) => {
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
            (Qdisc::Netem(wanted), Some(Qdisc::Netem(found))) => wanted.to_kernel() == found.to_kernel(),
            (wanted, found) => Some(wanted) == found,
        }
    }
}

impl Netem {
    fn to_kernel(&self) -> wireloom_netlink::Netem {
        let share = |millionths: u32| netem::fraction(f64::from(millionths) / WHOLE);
        let defaults = wireloom_netlink::Netem::default();
        wireloom_netlink::Netem {
            delay_ns: self.delay_us * 1000,
            jitter_ns: self.jitter_us * 1000,
            delay_correlation: share(self.delay_correlation),
            loss: share(self.loss),
            loss_correlation: share(self.loss_correlation),
            duplicate: share(self.duplicate),
            corrupt: share(self.corrupt),
            reorder: share(self.reorder),
            rate: self.rate_bit / 8,
            limit: if self.limit == 0 { defaults.limit } else { self.limit },
            ..defaults
        }
    }

    fn from_kernel(netem: &wireloom_netlink::Netem) -> Netem {
        // Between 0 and a million, so that the conversion loses nothing but the fraction.
        let millionths = |fraction: u32| (netem::share(fraction) * WHOLE).round() as u32;
        let default_limit = wireloom_netlink::Netem::default().limit;
        Netem {
            // The kernel counts ticks of 64 ns where it has no 64-bit attribute.
            delay_us: (netem.delay_ns + 500) / 1000,
            jitter_us: (netem.jitter_ns + 500) / 1000,
            delay_correlation: millionths(netem.delay_correlation),
            loss: millionths(netem.loss),
            loss_correlation: millionths(netem.loss_correlation),
            duplicate: millionths(netem.duplicate),
            corrupt: millionths(netem.corrupt),
            reorder: millionths(netem.reorder),
            rate_bit: netem.rate * 8,
            limit: if netem.limit == default_limit { 0 } else { netem.limit },
        }
    }
}

impl Tbf {
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
            Qdisc::Netem(netem) => write!(f, "{netem}"),
            Qdisc::Tbf(tbf) => write!(f, "tbf rate {} burst {} limit {}", Rate(tbf.rate_bit), tbf.burst, tbf.limit),
            Qdisc::Other(kind) => f.write_str(kind),
        }
    }
}

/// Bits a second, in the largest unit that loses nothing, as tc writes it.
struct Rate(u64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bit if bit > 0 && bit % 1_000_000_000 == 0 => write!(f, "{}gbit", bit / 1_000_000_000),
            bit if bit > 0 && bit % 1_000_000 == 0 => write!(f, "{}mbit", bit / 1_000_000),
            bit if bit > 0 && bit % 1000 == 0 => write!(f, "{}kbit", bit / 1000),
            bit => write!(f, "{bit}bit"),
        }
    }
}

/// Microseconds, in the largest unit that loses nothing.
struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            us if us > 0 && us % 1_000_000 == 0 => write!(f, "{}s", us / 1_000_000),
            us if us > 0 && us % 1000 == 0 => write!(f, "{}ms", us / 1000),
            us => write!(f, "{us}us"),
        }
    }
}

impl fmt::Display for Netem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |millionths: u32| format!("{}%", f64::from(millionths) / 10_000.0);
        f.write_str("netem")?;
        if self.delay_us > 0 {
            write!(f, " delay {}", Time(self.delay_us))?;
        }
        if self.jitter_us > 0 {
            write!(f, " jitter {}", Time(self.jitter_us))?;
        }
        let shares = [
            ("correlation", self.delay_correlation),
            ("loss", self.loss),
            ("loss-correlation", self.loss_correlation),
            ("duplicate", self.duplicate),
            ("corrupt", self.corrupt),
            ("reorder", self.reorder),
        ];
        for (word, share) in shares.into_iter().filter(|(_, share)| *share > 0) {
            write!(f, " {word} {}", percent(share))?;
        }
        if self.rate_bit > 0 {
            write!(f, " rate {}", Rate(self.rate_bit))?;
        }
        if self.limit > 0 { write!(f, " limit {}", self.limit) } else { Ok(()) }
    }
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_zero_u64(value: &u64) -> bool {
    *value == 0
}
