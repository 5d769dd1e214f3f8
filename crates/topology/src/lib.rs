//! wireloom-topology.
