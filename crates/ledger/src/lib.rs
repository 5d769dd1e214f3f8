//! wireloom-ledger.
