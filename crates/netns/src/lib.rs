//! Network namespaces: open one by path, name or process, make one, run code inside one, tell one from another.
//!
//! Owns every switch of a thread's namespace and all unsafe code of the workspace. Deliberately does not know what a
//! link is, and never sends a netlink message.
//!
//! A [`Netns`] is an open descriptor, and that keeps the namespace and all its links alive: hold one for one step only.

mod bulk;
mod directory;
mod doorbell;
mod enter;
mod error;
mod exec;
mod holder;
mod identity;
mod names;
mod netns;
mod room;
mod sys;
mod tap;

pub use bulk::{create_many, remove_many};
pub use directory::{DIRECTORY, list, prepare_directory, remove};
pub use doorbell::Doorbell;
pub use error::{Error, Result};
pub use holder::{Holder, holders};
pub use identity::NetnsId;
pub use names::Names;
pub use netns::Netns;
pub use room::{Room, RoomMaker, remove_room, remove_rooms, rooms};
pub use sys::{bind_packet_socket, packet_statistics, set_socket_option, with_hang_up};
pub use tap::TapOptions;
