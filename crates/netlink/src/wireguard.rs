//! Configuration of wireguard devices (linux/wireguard.h): keys, ports, peers. Does not know where keys come from.

mod key;
mod wire;

use std::{collections::BTreeSet, net::SocketAddr};

use ipnet::IpNet;
use nix::errno::Errno;
use wireloom_netns::Netns;

pub use self::key::{KeyError, PublicKey, SecretKey};
#[cfg(fuzzing)]
pub(crate) use self::wire::read;
use crate::generic::{Command, Family};
use crate::{Error, Result};

const GET_DEVICE: &str = "WG_CMD_GET_DEVICE";
const SET_DEVICE: &str = "WG_CMD_SET_DEVICE";

/// What `wg show DEV` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Its private key; on the way to the kernel, absent keeps the one that is there.
    pub private_key: Option<SecretKey>,
    /// The kernel makes it of the private one.
    pub public_key: Option<PublicKey>,
    /// UDP port; 0 lets the kernel choose.
    pub listen_port: u16,
    /// Mark of outer packets; 0 is none.
    pub fwmark: u32,
    /// Its peers.
    pub peers: Vec<Peer>,
}

/// A peer of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Who it is.
    pub public_key: PublicKey,
    /// A further secret.
    pub preshared_key: Option<SecretKey>,
    /// Where it was last, or is to be.
    pub endpoint: Option<SocketAddr>,
    /// Seconds between keepalives; 0 is off.
    pub keepalive: u16,
    /// Networks that are its.
    pub allowed: BTreeSet<IpNet>,
}

/// The wireguard devices in one namespace.
#[derive(Debug)]
pub struct Wireguard(Family);

impl Wireguard {
    /// Opens a socket in the namespace.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where the kernel has no wireguard.
    pub fn open(netns: &Netns) -> Result<Wireguard> {
        let missing = Error::Refused {
            request: "CTRL_CMD_GETFAMILY",
            errno: Errno::EOPNOTSUPP,
            message: Some("wireguard is unknown to this kernel".to_owned()),
            offset: None,
            missing: None,
        };
        Family::open(netns, "wireguard", 1)?.map(Wireguard).ok_or(missing)
    }

    /// Like `wg show DEV`; nothing where there is no such device.
    ///
    /// # Errors
    /// The kernel's.
    pub fn get(&mut self, ifname: &str) -> Result<Option<Device>> {
        let asked = wire::ask(ifname);
        let parts = match self.0.dump(&Command { name: GET_DEVICE, number: 0, attributes: &asked }, wire::read) {
            Err(error) if matches!(error.errno(), Some(Errno::ENODEV | Errno::EOPNOTSUPP)) => return Ok(None),
            parts => parts?,
        };
        Ok(parts.into_iter().reduce(join))
    }

    /// Makes the device like this, like `wg setconf DEV`: other peers go, the private key stays if none is given.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set(&mut self, ifname: &str, device: &Device) -> Result<()> {
        let messages = wire::set(ifname, device);
        messages.iter().try_for_each(|attributes| self.0.request(&Command { name: SET_DEVICE, number: 1, attributes }))
    }
}

/// A peer whose networks fill more than a message goes on in the next one, where it has nothing else.
fn join(mut device: Device, next: Device) -> Device {
    for peer in next.peers {
        match device.peers.last_mut().filter(|last| last.public_key == peer.public_key) {
            Some(last) => last.allowed.extend(peer.allowed),
            None => device.peers.push(peer),
        }
    }
    device
}
