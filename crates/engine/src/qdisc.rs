//! The root queueing discipline of a link: impairment (netem) and rate (tbf).

use serde::{Deserialize, Serialize};

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

fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_zero_u64(value: &u64) -> bool {
    *value == 0
}
