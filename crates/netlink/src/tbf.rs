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

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tc qdisc replace dev v0 root tbf rate 10mbit burst 10000 latency 50ms` (iproute2 6.1) sends as options, up
    /// to the rate table.
    #[rustfmt::skip]
    const TEN_MEGABIT: [u8; 52] = [
        0x28, 0x00, 0x01, 0x00, 0x03, 0x01, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0xd0, 0x12, 0x13, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x34, 0x1b, 0x01, 0x00,
        0x48, 0xe8, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x06, 0x00, 0x10, 0x27, 0x00, 0x00,
        0x04, 0x04, 0x02, 0x00,
    ];

    /// The same of `tbf rate 40gbit burst 1000000 limit 3000000`: a rate of more than 32 bits.
    #[rustfmt::skip]
    const FORTY_GIGABIT: [u8; 64] = [
        0x28, 0x00, 0x01, 0x00, 0x03, 0x01, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0xc6, 0x2d, 0x00,
        0x29, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x06, 0x00, 0x40, 0x42, 0x0f, 0x00,
        0x0c, 0x00, 0x04, 0x00, 0x00, 0xf2, 0x05, 0x2a, 0x01, 0x00, 0x00, 0x00, 0x04, 0x04, 0x02, 0x00,
    ];

    /// Words of the rate table that tc sends with ten megabit, at these places.
    const TABLE: [(usize, u32); 6] = [(0, 93), (1, 187), (2, 296), (100, 10093), (186, 18687), (255, 25593)];

    fn bytes(tbf: &Tbf) -> Vec<u8> {
        raw_options(&[tbf.encode()]).expect("options")
    }

    #[test]
    fn the_bytes_are_those_of_tc() {
        let ten = bytes(&Tbf::with_latency(1_250_000, 10_000, 50_000_000));
        let forty = bytes(&Tbf { rate: 5_000_000_000, burst: 1_000_000, limit: 3_000_000 });
        assert_eq!(ten[..TEN_MEGABIT.len()], TEN_MEGABIT);
        assert_eq!(forty[..FORTY_GIGABIT.len()], FORTY_GIGABIT);
        let table = &ten[TEN_MEGABIT.len()..];
        assert_eq!(table.len(), 1024);
        for (place, word) in TABLE {
            assert_eq!(u32_at(table, 4 * place), Some(word), "word {place}");
        }
        assert!(forty[FORTY_GIGABIT.len()..].iter().all(|byte| *byte == 0), "a frame takes less than a microsecond");
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for rate in [1, 1_250_000, u64::from(u32::MAX), u64::from(u32::MAX) + 1, 5_000_000_000] {
            let tbf = Tbf { rate, burst: 10_000, limit: 72_500 };
            assert_eq!(Tbf::decode(&[tbf.encode()]), Some(tbf));
        }
    }

    #[test]
    fn options_that_are_cut_off_are_nothing() {
        let whole = bytes(&Tbf { rate: 1, burst: 2, limit: 3 });
        for length in 0..40 {
            let attribute = TcAttribute::Other(DefaultNla::new(TCA_OPTIONS, whole[..length].to_vec()));
            assert_eq!(Tbf::decode(&[attribute]), None, "{length} bytes");
        }
    }

    #[test]
    fn a_burst_that_the_kernel_rounded_matches_and_another_rate_does_not() {
        let desired = Tbf { rate: 5_000_000_000, burst: 1_000_000, limit: 3_000_000 };
        assert!(desired.matches(&Tbf { burst: 999_680, ..desired.clone() }));
        assert!(!desired.matches(&Tbf { burst: 990_000, ..desired.clone() }));
        assert!(!desired.matches(&Tbf { rate: 5_000_000_001, ..desired.clone() }));
        assert!(!desired.matches(&Tbf { limit: 1, ..desired.clone() }));
    }
}
