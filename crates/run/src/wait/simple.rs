//! What tells nothing of itself: a file, a command, a port. Looked at again and again, with a pause.

use std::{net::TcpStream, path::PathBuf, time::Duration};

use super::{Awaited, resolve::resolve};
use crate::start;

/// A look at a file costs next to nothing.
const SOON: Duration = Duration::from_millis(100);
/// A command may cost a lot.
const LATER: Duration = Duration::from_secs(1);
/// Others are waited for as well.
const CONNECT: Duration = Duration::from_secs(1);

/// A file of any kind exists, like `test -e FILE`.
#[derive(Debug)]
pub struct FileThere(pub PathBuf);

impl Awaited for FileThere {
    fn missing(&mut self) -> Option<String> {
        (!self.0.exists()).then(|| format!("file {}", self.0.display()))
    }

    fn pause(&self) -> Duration {
        SOON
    }
}

/// A line of shell ends with 0.
#[derive(Debug)]
pub struct Succeeds(pub String);

impl Awaited for Succeeds {
    fn missing(&mut self) -> Option<String> {
        let Succeeds(line) = self;
        match start::quiet_shell(line) {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("command `{line}` ({status})")),
            Err(cause) => Some(format!("command `{line}` (cannot be run: {cause})")),
        }
    }

    fn pause(&self) -> Duration {
        LATER
    }
}

/// Somebody takes connections there.
#[derive(Debug)]
pub struct Connects {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Awaited for Connects {
    fn missing(&mut self) -> Option<String> {
        let Connects { host, port } = self;
        let addresses = match resolve(host) {
            Ok(addresses) => addresses,
            Err(cause) => return Some(format!("tcp {host}:{port} ({cause})")),
        };
        let mut last = None;
        for address in addresses {
            match TcpStream::connect_timeout(&(address, *port).into(), CONNECT) {
                Ok(_) => return None,
                Err(cause) => last = Some(cause),
            }
        }
        let cause = last.map_or_else(|| "the name has no address".to_owned(), |cause| cause.to_string());
        Some(format!("tcp {host}:{port} ({cause})"))
    }

    fn pause(&self) -> Duration {
        SOON
    }
}
