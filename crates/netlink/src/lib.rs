//! wireloom-netlink.
