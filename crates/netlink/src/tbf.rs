//! The token bucket filter: a rate limit. Encodes and decodes its options as tc does. Does not know on which link it is.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::tc::{TcAttribute, TcOption};

use crate::frame::{attributes, push_attribute, u32_at, u64_at};
use crate::psched::{TICK, capped, rate_spec, transmit_bytes, transmit_ticks};

/// The kind of this qdisc.
pub const KIND: &str = "tbf";

const TCA_OPTIONS: u16 = 2;
const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_RTAB: u16 = 2;
const TCA_TBF_RATE64: u16 = 4;
const TCA_TBF_BURST: u16 = 6;

/// tc reckons with frames of up to 2047 bytes, for which 256 cells of 8 bytes are needed.
const CELL_LOG: u8 = 3;

/// Like `tc qdisc add dev DEV root tbf rate RATE burst BURST limit LIMIT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tbf {
    /// Bytes per second.
    pub rate: u64,
    /// How many bytes may be sent at once after a pause.
    pub burst: u32,
    /// How many bytes may wait; more are dropped.
    pub limit: u32,
}

impl Tbf {
    /// With the queue limited by how long a packet may wait at most, like `latency TIME`.
    pub fn with_latency(rate: u64, burst: u32, latency_ns: u64) -> Tbf {
        let waiting = u128::from(rate) * u128::from(latency_ns) / 1_000_000_000 + u128::from(burst);
        Tbf { rate, burst, limit: u32::try_from(waiting).unwrap_or(u32::MAX) }
    }

    /// The options of a `RTM_NEWQDISC` message.
    pub fn encode(&self) -> TcAttribute {
        let mut options = Vec::with_capacity(1100);
        push_attribute(&mut options, TCA_TBF_PARMS, &self.parameters());
        push_attribute(&mut options, TCA_TBF_BURST, &self.burst.to_ne_bytes());
        if self.rate > u64::from(u32::MAX) {
            push_attribute(&mut options, TCA_TBF_RATE64, &self.rate.to_ne_bytes());
        }
        let table: Vec<u8> =
            (1..=256u32).flat_map(|cell| transmit_ticks(cell << CELL_LOG, self.rate).to_ne_bytes()).collect();
        push_attribute(&mut options, TCA_TBF_RTAB, &table);
        TcAttribute::Other(DefaultNla::new(TCA_OPTIONS, options))
    }

    /// Reads the options from the attributes of a qdisc of this kind; nothing when they are not there or cut off.
    pub fn decode(attributes_of_qdisc: &[TcAttribute]) -> Option<Tbf> {
        let options = raw_options(attributes_of_qdisc)?;
        let find = |wanted| attributes(&options).find_map(|(kind, value)| (kind == wanted).then_some(value));
        let parameters = find(TCA_TBF_PARMS)?;
        let rate = match find(TCA_TBF_RATE64) {
            Some(value) => u64_at(value, 0)?,
            None => u64::from(u32_at(parameters, 8)?),
        };
        // The kernel reports the burst as a time only.
        let burst = match find(TCA_TBF_BURST) {
            Some(value) => u32_at(value, 0)?,
            None => transmit_bytes(u32_at(parameters, 28)?, rate),
        };
        Some(Tbf { rate, burst, limit: u32_at(parameters, 24)? })
    }

    /// Whether a kernel that was given `self` reports `observed`: it keeps the burst as a time, in ticks of 64 ns, so that
    /// what it reports is a little less at high rates.
    pub fn matches(&self, observed: &Tbf) -> bool {
        let lost = u128::from(self.rate) * u128::from(2 * TICK) / 1_000_000_000 + 1;
        self.rate == observed.rate
            && self.limit == observed.limit
            && u128::from(self.burst.abs_diff(observed.burst)) <= lost
    }

    /// `struct tc_tbf_qopt`: rate, peak rate (none), limit, burst as a time, MTU of the peak rate.
    fn parameters(&self) -> [u8; 36] {
        let mut parameters = [0; 36];
        parameters[0..12].copy_from_slice(&rate_spec(self.rate, CELL_LOG));
        parameters[24..28].copy_from_slice(&self.limit.to_ne_bytes());
        let time = transmit_ticks(self.burst, u64::from(capped(self.rate)));
        parameters[28..32].copy_from_slice(&time.to_ne_bytes());
        parameters
    }
}

/// The bytes of `TCA_OPTIONS`, as netlink-packet-route keeps those of kinds that it does not know.
pub(crate) fn raw_options(attributes: &[TcAttribute]) -> Option<Vec<u8>> {
    use netlink_packet_core::Nla;
    let raw = |nla: &DefaultNla| {
        let mut bytes = vec![0; nla.value_len()];
        nla.emit_value(&mut bytes);
        bytes
    };
    attributes.iter().find_map(|attribute| match attribute {
        TcAttribute::Options(options) => match options.first() {
            Some(TcOption::Other(nla)) => Some(raw(nla)),
            _ => None,
        },
        TcAttribute::Other(nla) if nla.kind() == TCA_OPTIONS => Some(raw(nla)),
        _ => None,
    })
}
