//! For the fuzz targets, and only built for them: what becomes of a datagram, without a socket.

use netlink_packet_route::RouteNetlinkMessage;

use crate::frame::{frames, refusal_of_done, refusal_of_error};
use crate::socket::decode;

/// Reads a datagram as an answer of rtnetlink: acks are put into words, and the messages that can be read are returned.
pub fn datagram(bytes: &[u8]) -> Vec<RouteNetlinkMessage> {
    let mut messages = Vec::new();
    for frame in frames(bytes).map_while(Result::ok) {
        let refusals = [refusal_of_error(&frame).ok().flatten(), refusal_of_done(&frame)];
        for refusal in refusals.into_iter().flatten() {
            assert!(!refusal.of("add link").to_string().is_empty());
        }
        messages.extend(decode(&frame, "dump"));
        crate::wireguard::read(frame.payload);
    }
    messages
}
