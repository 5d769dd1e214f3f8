//! Any bytes as a datagram of rtnetlink: frames, acks with their words, links, addresses, routes and qdiscs are read or
//! refused, and never panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for message in wireloom_netlink::fuzzing::datagram(bytes) {
        wireloom_engine::fuzzing::read(&message);
    }
});
