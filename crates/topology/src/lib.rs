//! The document of a topology: YAML or JSON text read into a tree whose every node knows its place, interpolated,
//! merged, and read into typed structs while all mistakes are collected, each with file, line, column and field.
//!
//! Trail of a document: `source` (files) -> `parse` (text to tree) -> `interpolate` (variables) -> `lift` (what stands
//! under `x-network`) -> `merge` (several files to one) -> `read` (tree to structs). This crate knows nothing of the
//! kernel.

pub mod interpolate;
pub mod lift;
pub mod load;
pub mod merge;
pub mod mistake;
pub mod parse;
pub mod read;
pub mod source;
pub mod tree;
pub mod variables;
