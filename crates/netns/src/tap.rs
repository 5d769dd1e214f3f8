//! Interfaces whose other end is a program: taps (Ethernet, for virtual machines) and tuns (IP). Made by opening them; the
//! kernel has no request for it. Does not know what they are for.

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;

use crate::error::errno_of;
use crate::{Error, Netns, Result, sys};

/// How an interface of this kind is opened (linux/if_tun.h).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TapOptions {
    /// IP packets instead of Ethernet frames.
    pub tun: bool,
    /// Several programs, or threads of one, may each open a queue of it.
    pub multi_queue: bool,
    /// Packets carry a `virtio_net_hdr`.
    pub vnet_hdr: bool,
}

const DEVICE: &str = "/dev/net/tun";
const IFF_TUN: i16 = 0x0001;
const IFF_TAP: i16 = 0x0002;
const IFF_MULTI_QUEUE: i16 = 0x0100;
const IFF_NO_PI: i16 = 0x1000;
const IFF_VNET_HDR: i16 = 0x4000;
/// The interface must not be there already (EBUSY).
const IFF_TUN_EXCL: i16 = i16::MIN;

impl TapOptions {
    fn flags(self) -> i16 {
        let queues = if self.multi_queue { IFF_MULTI_QUEUE } else { 0 };
        let header = if self.vnet_hdr { IFF_VNET_HDR } else { 0 };
        IFF_NO_PI | queues | header | if self.tun { IFF_TUN } else { IFF_TAP }
    }
}

impl Netns {
    /// Makes an interface that stays when its descriptor is closed, for a user and a group (absent: root's), like
    /// `ip tuntap add dev NAME mode tap [user U] [group G] [multi_queue] [vnet_hdr]`.
    ///
    /// # Errors
    /// `EEXIST` where there is an interface of that name; the machine has no /dev/net/tun.
    pub fn add_tap(&self, name: &str, options: TapOptions, user: Option<u32>, group: Option<u32>) -> Result<()> {
        let failed = |errno| Error::Tap { name: name.to_owned(), errno };
        self.run(|| {
            let tap = open(name, options.flags() | IFF_TUN_EXCL).map_err(|errno| match errno {
                Errno::EBUSY => Errno::EEXIST,
                other => other,
            })?;
            user.map_or(Ok(()), |user| sys::set_tap_owner(&tap, user))?;
            group.map_or(Ok(()), |group| sys::set_tap_group(&tap, group))?;
            sys::set_tap_persistent(&tap)
        })?
        .map_err(failed)
    }

    /// Opens the program's end of an interface: what is written there comes in, what goes out is read there.
    ///
    /// # Errors
    /// The interface is open already, or was made with other options.
    pub fn open_tap(&self, name: &str, options: TapOptions) -> Result<OwnedFd> {
        self.run(|| open(name, options.flags()))?.map_err(|errno| Error::Tap { name: name.to_owned(), errno })
    }
}

/// In the calling thread's namespace.
fn open(name: &str, flags: i16) -> nix::Result<OwnedFd> {
    let mut how = OpenOptions::new();
    let file = how.read(true).write(true).custom_flags(libc::O_CLOEXEC).open(DEVICE).map_err(|e| errno_of(&e))?;
    let fd = OwnedFd::from(file);
    sys::set_tap_interface(&fd, name, flags)?;
    Ok(fd)
}
