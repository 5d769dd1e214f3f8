//! The document of a topology: YAML or JSON text read into a tree whose every node knows its place, interpolated,
//! merged, and read into typed structs while all mistakes are collected, each with file, line, column and field.
//!
//! Trail of a document: `source` (files) -> `parse` (text to tree) -> `interpolate` (variables) -> `lift` (what stands
//! under `x-network`) -> `merge` (several files to one) -> `read` (tree to structs) -> `document` (the typed keys) ->
//! `expand` (ranges) -> `lower` (to the engine's state), `pool` (automatic addresses) and `validate`. This crate knows
//! nothing of the kernel.

mod beside;
mod document;
mod expand;
mod impairment;
pub mod interpolate;
pub mod lift;
pub mod load;
mod lower;
mod lowered;
pub mod merge;
pub mod mistake;
pub mod parse;
mod pool;
pub mod read;
mod schema;
mod script;
pub mod source;
mod topology;
pub mod tree;
mod validate;
pub mod variables;
mod wrong;

pub use self::{
    impairment::{Unclear, impairment},
    lowered::{
        Action, Check, Command, CommandLine, Inside, Lowered, NodeInfo, OnChange, OwnFile, OwnFolder, Script,
        ScriptStep, Segment, Target, Via,
    },
    schema::schema,
    script::load_script,
    topology::{load_and_lower, load_and_lower_on, lower_tree},
};
