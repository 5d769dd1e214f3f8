//! The rooms of a topology: what its nodes have beside their network. Makes, changes and removes them as the document
//! says, and finds them again. Does not know what it takes to furnish one.
//!
//! What a room was furnished with is written down after that was done and forgotten before it is changed, so that one that
//! a killed `up` has left half done is made anew. What processes inside have changed stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Deserialize, Serialize};
use wireloom_engine::{Label, State};
use wireloom_ledger::{Ledger, Supervised};
use wireloom_netns::{Names, Netns, Room, RoomMaker};
use wireloom_run::{File, Folder, Furniture};
use wireloom_topology::{Command, Inside, OnChange, OwnFile, OwnFolder};

use crate::{
    failure::Failure,
    hosts::{self, Hosts},
    paint::Paint,
    place, supervision,
};

/// What nodes say of it.
pub(crate) type Insides = BTreeMap<Label, Inside>;

/// What a room was furnished with, and for which network namespace: that is the one that its /sys shows.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Furnished {
    netns: String,
    inside: Inside,
}

/// A room that was made, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Changed {
    node: Label,
    /// `add`, `change` or `remove`.
    action: &'static str,
    /// The files and folders in it that are new, other, or gone.
    paths: Vec<String>,
}

impl Changed {
    /// `~ files of r1: /etc/frr/frr.conf`
    pub(crate) fn line(&self, paint: Paint) -> String {
        let Changed { node, action, paths } = self;
        let of = if paths.is_empty() { String::new() } else { format!(": {}", paths.join(", ")) };
        match *action {
            "add" => paint.good(&format!("+ files of {node}{of}")),
            "remove" => paint.bad(&format!("- files of {node}{of}")),
            _ => paint.odd(&format!("~ files of {node}{of}")),
        }
    }
}

/// The rooms of a topology and those who are in them.
pub(crate) struct Rooms<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) desired: &'a State,
    pub(crate) insides: &'a Insides,
    pub(crate) commands: &'a [Command],
    /// Nodes that are left as they are.
    pub(crate) held: &'a BTreeSet<Label>,
}

impl Rooms<'_> {
    /// Makes them what they are to be; what that was goes to `changed`.
    pub(crate) fn settle(&mut self, changed: &mut Vec<Changed>) -> Result<(), Failure> {
        let folder = self.ledger.room_directory();
        for name in wireloom_netns::rooms(&folder) {
            let Ok(node) = name.parse::<Label>() else { continue };
            if self.insides.get(&node).is_none_or(|inside| !inside.room) {
                self.take_away(&folder, node, changed)?;
            }
        }
        if self.insides.values().all(|inside| !inside.room) {
            return Ok(());
        }
        let (mut maker, hosts) = (None, Hosts::new(self.desired, self.insides));
        let wanted = self.insides.iter().filter(|(node, inside)| inside.room && !self.held.contains(*node));
        for (node, inside) in wanted {
            let wanted =
                Furnished { netns: self.netns(node)?.id()?.to_string(), inside: self.whole(node, inside, &hosts) };
            match (Room::open(&folder, node.as_str())?, self.ledger.room::<Furnished>(node)) {
                (Some(_), Some(known)) if known == wanted => {}
                (Some(room), Some(known)) if known.netns == wanted.netns => {
                    changed.extend(self.change(node, &room, &known, &wanted)?);
                }
                _ => {
                    let maker = match &maker {
                        Some(maker) => maker,
                        None => maker.insert(RoomMaker::new(&folder)?),
                    };
                    changed.push(self.make(node, maker, &wanted)?);
                }
            }
        }
        Ok(())
    }

    fn take_away(&mut self, folder: &Path, node: Label, changed: &mut Vec<Changed>) -> Result<(), Failure> {
        supervision::stop(self.ledger, |process| process.node == node)?;
        self.ledger.forget_room(&node)?;
        wireloom_netns::remove_room(folder, node.as_str())?;
        changed.push(Changed { node, action: "remove", paths: Vec::new() });
        Ok(())
    }

    /// Those who are in a room that is there no more, or not to the end, are started anew.
    fn make(&mut self, node: &Label, maker: &RoomMaker, wanted: &Furnished) -> Result<Changed, Failure> {
        supervision::stop(self.ledger, |process| process.node == *node)?;
        self.ledger.forget_room(node)?;
        let source = self.desired.namespaces.get(node).map(|netns| &netns.source);
        let netns = (&self.netns(node)?, source.and_then(place::name));
        let furnish = || with_furniture(&wanted.inside, wireloom_run::furnish);
        maker.make(node.as_str(), netns, furnish).map_err(|cause| self.failed(node, cause))?;
        self.ledger.record_room(node, wanted)?;
        Ok(Changed { node: node.clone(), action: "add", paths: Vec::new() })
    }

    /// Those who are to be started anew when a file changes are ended before it does: who kills us in between finds them
    /// ended, and starts them.
    fn change(
        &mut self,
        node: &Label,
        room: &Room,
        known: &Furnished,
        wanted: &Furnished,
    ) -> Result<Option<Changed>, Failure> {
        let paths = differing(&known.inside, &wanted.inside);
        let told =
            paths.iter().any(|path| path != hosts::PATH || self.insides[node].files.iter().any(|f| f.path == *path));
        if told {
            let stops = |process: &Supervised| self.reacts(process, node, OnChange::Restart);
            let stopping: BTreeSet<u32> = self.ledger.processes()?.iter().filter(|p| stops(p)).map(|p| p.pid).collect();
            supervision::stop(self.ledger, |process| stopping.contains(&process.pid))?;
        }
        self.ledger.forget_room(node)?;
        let refurnish = || {
            with_furniture(&known.inside, |from| with_furniture(&wanted.inside, |to| wireloom_run::refurnish(from, to)))
        };
        room.run(refurnish)?.map_err(|cause| self.failed(node, cause))?;
        if told {
            let processes = self.ledger.processes()?;
            let hung_up = processes.iter().filter(|process| self.reacts(process, node, OnChange::Hup));
            hung_up.for_each(|process| wireloom_run::hang_up(&supervision::process(process)));
        }
        self.ledger.record_room(node, wanted)?;
        Ok(told.then(|| Changed { node: node.clone(), action: "change", paths }))
    }

    /// Whether a process of the node is one that is dealt with in this way when a file changes.
    fn reacts(&self, process: &Supervised, node: &Label, how: OnChange) -> bool {
        let mut commands = self.commands.iter().filter(|command| command.on_change == Some(how));
        process.node == *node && commands.any(|c| c.node == *node && c.command.to_string() == process.command)
    }

    /// With the file of names, unless the document has one.
    fn whole(&self, node: &Label, inside: &Inside, hosts: &Hosts<'_>) -> Inside {
        let mut inside = inside.clone();
        if inside.files.iter().all(|file| file.path != hosts::PATH) {
            let content = hosts.of(node);
            inside.files.push(OwnFile { path: hosts::PATH.into(), content, owner: None, mode: None });
        }
        inside
    }

    fn netns(&self, node: &Label) -> Result<Netns, Failure> {
        open(self.desired, node)
    }

    fn failed(&self, node: &Label, cause: wireloom_run::Error) -> Failure {
        Failure::Room { topology: self.desired.owner.clone(), node: node.clone(), cause }
    }
}

/// The paths whose files or folders are not the same in both.
fn differing(a: &Inside, b: &Inside) -> Vec<String> {
    let files = |a: &Inside, b: &Inside| -> Vec<String> {
        a.files.iter().filter(|file| !b.files.contains(file)).map(|file| file.path.clone()).collect()
    };
    let folders = |a: &Inside, b: &Inside| -> Vec<String> {
        a.folders.iter().filter(|folder| !b.folders.contains(folder)).map(|folder| folder.path.clone()).collect()
    };
    let all = [files(a, b), files(b, a), folders(a, b), folders(b, a)].concat();
    all.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

fn with_furniture<T>(inside: &Inside, f: impl FnOnce(&Furniture<'_>) -> T) -> T {
    let folders = inside.folders.iter();
    let folders: Vec<_> =
        folders.map(|OwnFolder { path, owner, mode }| Folder { path, owner: owner.as_deref(), mode: *mode }).collect();
    let files = inside.files.iter().map(|OwnFile { path, content, owner, mode }| File {
        path,
        content,
        owner: owner.as_deref(),
        mode: *mode,
    });
    let files: Vec<_> = files.collect();
    f(&Furniture { hostname: &inside.hostname, folders: &folders, files: &files })
}

/// The mount namespaces of a topology's rooms, by their inodes.
pub(crate) fn inodes(ledger: &Ledger) -> BTreeSet<u64> {
    let folder = ledger.room_directory();
    let rooms = wireloom_netns::rooms(&folder).into_iter();
    rooms.filter_map(|name| Room::open(&folder, &name).ok()??.inode().ok()).collect()
}

fn open(desired: &State, node: &Label) -> Result<Netns, Failure> {
    let gone = |cause| Failure::NodeGone { topology: desired.owner.clone(), node: node.clone(), cause };
    match desired.namespaces.get(node) {
        Some(netns) => netns.source.open().map_err(gone),
        None => Ok(Netns::current()?),
    }
}

/// What a program in a node finds beside the network.
pub(crate) enum Within {
    /// What the machine has: the host, and the namespace for bridges.
    Machine,
    /// The same with names of the node's own.
    Names { hostname: String, hosts: String },
    /// A room.
    Room(Room),
}

impl Within {
    /// Of a topology that is up.
    pub(crate) fn of(ledger: &Ledger, desired: &State, insides: &Insides, node: &Label) -> Result<Within, Failure> {
        if node.as_str() == Label::HOST || node.as_str() == desired.owner.hub() {
            return Ok(Within::Machine);
        }
        let inside = insides.get(node);
        if inside.is_some_and(|inside| inside.room) {
            let room = Room::open(&ledger.room_directory(), node.as_str())?;
            let (topology, node) = (desired.owner.clone(), node.clone());
            return room.map(Within::Room).ok_or(Failure::NoRoom { topology, node });
        }
        let hostname = inside.map_or(node.to_string(), |inside| inside.hostname.clone());
        Ok(Within::Names { hostname, hosts: Hosts::new(desired, insides).of(node) })
    }

    /// The same as it is started with.
    pub(crate) fn inside(&self) -> wireloom_run::Inside<'_> {
        match self {
            Within::Machine => wireloom_run::Inside::Machine,
            Within::Names { hostname, hosts } => wireloom_run::Inside::Names(Names { hostname, hosts }),
            Within::Room(room) => wireloom_run::Inside::Room(room),
        }
    }
}
