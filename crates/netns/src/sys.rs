//! The system calls for which no safe wrapper exists. All unsafe code of the workspace is in this file.
//! Knows nothing of names and paths.
#![expect(unsafe_code, reason = "socket options, ioctls and pidfds have no safe wrapper in nix")]

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// `NS_GET_NSTYPE` of `linux/nsfs.h`.
const NS_GET_NSTYPE: libc::c_ulong = 0xb703;
/// `SO_NETNS_COOKIE` of `asm-generic/socket.h`, since Linux 5.14.
const SO_NETNS_COOKIE: libc::c_int = 71;
/// Of `linux/if_packet.h`.
const PACKET_STATISTICS: libc::c_int = 6;

/// A socket in the calling thread's namespace, closed on exec.
pub(crate) fn socket(domain: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> nix::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = Errno::result(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the kernel has just returned this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets a socket option that is an `int`: `setsockopt(fd, level, name, &value)`.
pub fn set_socket_option(fd: impl AsFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> nix::Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the pointer is to a live int and the size is that of an int.
    Errno::result(unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size) }).map(drop)
}

/// Ties a packet socket to one interface, from where it gets the packets of this protocol from now on: `bind()` with a
/// `sockaddr_ll`.
pub fn bind_packet_socket(fd: impl AsFd, protocol: u16, ifindex: u32) -> nix::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: ifindex.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the pointer is to a live sockaddr_ll and the size is that of one.
    Errno::result(unsafe { libc::bind(fd.as_fd().as_raw_fd(), (&raw const address).cast(), size) }).map(drop)
}

/// How many packets a packet socket was given, and how many of them it had no room for, since this was last asked:
/// `getsockopt(fd, SOL_PACKET, PACKET_STATISTICS)`.
pub fn packet_statistics(fd: impl AsFd) -> nix::Result<(u32, u32)> {
    let mut counts = [0u32; 2];
    let mut size = size_of_val(&counts) as libc::socklen_t;
    let value = (&raw mut counts).cast();
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: a `tpacket_stats` is two u32; the pointers are to live values, and the kernel writes no more than that size.
    Errno::result(unsafe { libc::getsockopt(fd, libc::SOL_PACKET, PACKET_STATISTICS, value, &raw mut size) })?;
    Ok((counts[0], counts[1]))
}

/// The cookie of the namespace that a socket belongs to. Never given twice between two boots.
pub(crate) fn netns_cookie(socket: &OwnedFd) -> nix::Result<u64> {
    let mut cookie = 0u64;
    let mut size = size_of::<u64>() as libc::socklen_t;
    let value = (&raw mut cookie).cast();
    // SAFETY: the pointers are to a live u64 and its size, and the kernel writes no more than that size.
    Errno::result(unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_NETNS_COOKIE, value, &raw mut size)
    })?;
    Ok(cookie)
}

/// The `CLONE_NEW…` type of a namespace descriptor; ENOTTY when it is something else.
pub(crate) fn namespace_type(fd: &OwnedFd) -> nix::Result<libc::c_int> {
    // SAFETY: this request takes no argument.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_NSTYPE as _) })
}

/// A descriptor that stands for this very process, also after its number has been given to another.
pub(crate) fn pidfd_open(pid: u32) -> nix::Result<OwnedFd> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| Errno::ESRCH)?;
    // SAFETY: no pointers are passed.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel has just returned this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}

/// Whether the process behind a pidfd still exists: signal 0 is sent to it, which does nothing.
pub(crate) fn pidfd_alive(pidfd: &OwnedFd) -> bool {
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo is allowed, and signal 0 is never delivered.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), 0, no_info, 0) };
    !matches!(Errno::result(result), Err(Errno::ESRCH))
}

/// `TUNSETIFF`, `TUNSETPERSIST`, `TUNSETOWNER`, `TUNSETGROUP` of `linux/if_tun.h`.
const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
const TUNSETPERSIST: libc::c_ulong = 0x4004_54cb;
const TUNSETOWNER: libc::c_ulong = 0x4004_54cc;
const TUNSETGROUP: libc::c_ulong = 0x4004_54ce;

/// Makes a descriptor of /dev/net/tun the program's end of an interface, which is made if there is none of that name.
pub(crate) fn set_tap_interface(fd: &OwnedFd, name: &str, flags: i16) -> nix::Result<()> {
    // SAFETY: an ifreq of zeros is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero.
    if name.is_empty() || name.len() >= request.ifr_name.len() {
        return Err(Errno::EINVAL);
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = flags;
    // SAFETY: the pointer is to a live ifreq, which the kernel reads and writes.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), TUNSETIFF as _, &raw mut request) }).map(drop)
}

/// The interface stays when the descriptor is closed.
pub(crate) fn set_tap_persistent(fd: &OwnedFd) -> nix::Result<()> {
    set_tap_number(fd, TUNSETPERSIST, 1)
}

/// This user may open the interface.
pub(crate) fn set_tap_owner(fd: &OwnedFd, user: u32) -> nix::Result<()> {
    set_tap_number(fd, TUNSETOWNER, user)
}

/// This group may open the interface.
pub(crate) fn set_tap_group(fd: &OwnedFd, group: u32) -> nix::Result<()> {
    set_tap_number(fd, TUNSETGROUP, group)
}

fn set_tap_number(fd: &OwnedFd, request: libc::c_ulong, number: u32) -> nix::Result<()> {
    // SAFETY: these requests take a number, not a pointer.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request as _, libc::c_ulong::from(number)) }).map(drop)
}

/// Runs `f` while SIGHUP does what it does by default: what `f` starts would inherit that it is ignored (under nohup, say), and
/// a shell cannot change that.
pub fn with_hang_up<T>(f: impl FnOnce() -> T) -> T {
    // SAFETY: no handler of ours is installed, only one of the two that the kernel has.
    let before = unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
    let result = f();
    // Ours is put back only if it was to be ignored: a handler that another thread has installed meanwhile stays.
    if before == libc::SIG_IGN {
        // SAFETY: as above.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
    }
    result
}
