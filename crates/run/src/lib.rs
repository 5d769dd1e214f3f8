//! wireloom-run.
