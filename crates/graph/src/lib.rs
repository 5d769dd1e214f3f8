//! Pictures of a topology. [`graph`] turns the engine's states into a [`Graph`], which [`dot`] and [`mermaid`] write
//! for other programs, and [`svg`] draws by itself: the same graph gives the same picture, to the byte. Knows nothing
//! of documents and of the kernel, and touches no file.

mod dot;
mod graph;
mod layout;
mod lower;
mod measure;
mod mermaid;
mod name;
mod svg;

pub use self::{
    dot::dot,
    graph::{End, Graph, Health, Interface, Line, Link, Node, Shape, Style},
    lower::graph,
    mermaid::mermaid,
    name::natural,
    svg::svg,
};
