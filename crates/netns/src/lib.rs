//! wireloom-netns.
