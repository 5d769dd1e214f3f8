//! wireloom-engine.
