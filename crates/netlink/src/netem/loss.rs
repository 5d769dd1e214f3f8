//! Loss that comes in bursts: models with states, between which the link moves from packet to packet. Does not know loss
//! by chance alone.

use crate::frame::{attributes, push_attribute, u32_at};

const NETEM_LOSS_GI: u16 = 1;
const NETEM_LOSS_GE: u16 = 2;

/// A model of loss. All numbers are fractions of 2^32, see [`fraction`](super::fraction).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossModel {
    /// Gilbert and Elliott's, with two states: `loss gemodel P R 1-H 1-K`.
    Gemodel {
        /// From the good state to the bad one.
        p: u32,
        /// Back.
        r: u32,
        /// How likely a packet gets through in the bad state.
        h: u32,
        /// How likely a packet is lost in the good state.
        lost_in_good: u32,
    },
    /// Four states, `loss state P13 P31 P32 P23 P14`: 1 good, 3 bad, 2 good within a burst, 4 lost by itself.
    State {
        /// From 1 to 3.
        p13: u32,
        /// From 3 to 1.
        p31: u32,
        /// From 3 to 2.
        p32: u32,
        /// From 2 to 3.
        p23: u32,
        /// From 1 to 4.
        p14: u32,
    },
}

impl LossModel {
    /// What stands in `TCA_NETEM_LOSS`.
    pub(super) fn encode(self) -> Vec<u8> {
        // As the kernel's structures order them: `tc_netem_gemodel`, and `tc_netem_gimodel` with p14 before p23.
        let (kind, words) = match self {
            LossModel::Gemodel { p, r, h, lost_in_good } => (NETEM_LOSS_GE, vec![p, r, h, lost_in_good]),
            LossModel::State { p13, p31, p32, p23, p14 } => (NETEM_LOSS_GI, vec![p13, p31, p32, p14, p23]),
        };
        let value: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
        let mut nested = Vec::with_capacity(24);
        push_attribute(&mut nested, kind, &value);
        nested
    }

    /// Reads it back; nothing of a kind that we do not know.
    pub(super) fn decode(nested: &[u8]) -> Option<LossModel> {
        attributes(nested).find_map(|(kind, value)| {
            let word = |index: usize| u32_at(value, 4 * index);
            match kind {
                NETEM_LOSS_GE => {
                    Some(LossModel::Gemodel { p: word(0)?, r: word(1)?, h: word(2)?, lost_in_good: word(3)? })
                }
                NETEM_LOSS_GI => {
                    let (p14, p23) = (word(3)?, word(4)?);
                    Some(LossModel::State { p13: word(0)?, p31: word(1)?, p32: word(2)?, p23, p14 })
                }
                _ => None,
            }
        })
    }
}
