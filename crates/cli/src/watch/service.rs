//! Tells systemd how a service is doing (sd_notify): a datagram to the socket that it names in the environment. Who else
//! starts us hears nothing.

use std::{
    env,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

/// The variable that names the socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Sends lines like `READY=1`. That nobody listens is no failure.
pub(crate) fn notify(lines: &str) {
    let Some(name) = env::var_os(SOCKET) else { return };
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&name),
    };
    if let (Ok(address), Ok(socket)) = (address, UnixDatagram::unbound()) {
        socket.send_to_addr(lines.as_bytes(), &address).ok();
    }
}
