//! The packet scheduler's clock, in which tc messages count time: one tick is 64 ns on every kernel since 2.6.31
//! (`PSCHED_SHIFT` 6; /proc/net/psched says the same). Knows nothing of any qdisc.

/// The length of a tick in nanoseconds.
pub(crate) const TICK: u64 = 64;

/// Whole ticks in so many nanoseconds, as many as a message can hold.
pub(crate) fn ticks(nanoseconds: u64) -> u32 {
    u32::try_from(nanoseconds / TICK).unwrap_or(u32::MAX)
}

/// `struct tc_ratespec`: a rate in bytes per second for frames of Ethernet, with or without a rate table of cells of
/// `1 << cell_log` bytes. A rate that needs more than 32 bits is given in an attribute of its own.
pub(crate) fn rate_spec(rate: u64, cell_log: u8) -> [u8; 12] {
    const LINKLAYER_ETHERNET: u8 = 1;
    const CELL_ALIGN: i16 = -1;
    let mut spec = [0; 12];
    spec[0] = cell_log;
    spec[1] = LINKLAYER_ETHERNET;
    spec[4..6].copy_from_slice(&CELL_ALIGN.to_ne_bytes());
    spec[8..12].copy_from_slice(&capped(rate).to_ne_bytes());
    spec
}

/// A rate in the 32 bits of the older structures: all ones where it does not fit.
pub(crate) fn capped(rate: u64) -> u32 {
    u32::try_from(rate).unwrap_or(u32::MAX)
}

/// How long it takes to send so many bytes, in ticks, counted as tc does it: in whole microseconds.
pub(crate) fn transmit_ticks(bytes: u32, rate: u64) -> u32 {
    let microseconds = u128::from(bytes) * 1_000_000 / u128::from(rate.max(1));
    let ticks = microseconds * 1000 / u128::from(TICK);
    u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// How many bytes take so many ticks, of which the last one may have begun only. Rounded up, so that what the kernel has
/// made of a number of bytes is what it makes of this one again.
pub(crate) fn transmit_bytes(ticks: u32, rate: u64) -> u32 {
    let bytes = (u128::from(ticks) * u128::from(TICK) * u128::from(rate)).div_ceil(1_000_000_000);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
