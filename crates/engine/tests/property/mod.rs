//! The parts of the property test: random sketches, the states that they stand for, an independent witness, and damage.

pub(crate) mod build;
pub(crate) mod damage;
pub(crate) mod sketch;
pub(crate) mod witness;
