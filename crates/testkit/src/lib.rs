//! wireloom-testkit.
