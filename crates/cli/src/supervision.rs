//! The commands of a document: run those that have not run yet, keep those running that are to stay, end those that
//! nobody asks for any more. Does not know the network that they find.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use wireloom_engine::{Label, State};
use wireloom_ledger::{Ledger, Supervised};
use wireloom_netns::Netns;
use wireloom_run::{Process, Program};
use wireloom_topology::{Command, Lowered};

use crate::{
    attached::{Ran, argv},
    descriptors,
    failure::Failure,
    place,
    room::{Changed, Insides, Rooms, Within},
    words,
};

/// A process that stays, for programs and people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) node: Label,
    pub(crate) pid: u32,
    pub(crate) command: String,
    pub(crate) alive: bool,
    /// How and when it ended by itself, where that is known.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Ended>,
    pub(crate) log: std::path::PathBuf,
}

/// How a process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Ended {
    exit_status: u8,
    /// In seconds since 1970.
    ended_at: u64,
}

impl Ended {
    fn of(process: &Process) -> Option<Ended> {
        let wireloom_run::Ended { status, at } = wireloom_run::ended(process)?;
        Some(Ended { exit_status: status, ended_at: at.duration_since(UNIX_EPOCH).ok()?.as_secs() })
    }

    /// `with status 1, 5 s ago`.
    pub(crate) fn in_words(self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let ago = words::seconds(now.saturating_sub(self.ended_at));
        format!("with status {}, {ago} ago", self.exit_status)
    }
}

/// The processes in the ledger, and whether they live.
pub(crate) fn rows(ledger: &Ledger) -> Result<Vec<Row>, Failure> {
    let processes = ledger.processes()?.into_iter();
    let look = |p: Supervised| {
        let alive = wireloom_run::alive(&process(&p));
        Row { alive, ended: Ended::of(&process(&p)).filter(|_| !alive), ..row(&p) }
    };
    Ok(processes.map(look).collect())
}

/// A process of the ledger that has just been dealt with.
pub(crate) fn row(process: &Supervised) -> Row {
    let Supervised { node, pid, command, log, .. } = process.clone();
    Row { node, pid, command, alive: true, ended: None, log }
}

/// Ends the processes that `unwanted` names, and forgets them. Returns those that ended, and those that could not be
/// ended.
pub(crate) fn stop(
    ledger: &mut Ledger,
    mut unwanted: impl FnMut(&Supervised) -> bool,
) -> Result<(Vec<Supervised>, Vec<Supervised>), Failure> {
    let going: Vec<_> = ledger.processes()?.into_iter().filter(|p| unwanted(p)).collect();
    let left = wireloom_run::stop(&going.iter().map(process).collect::<Vec<_>>());
    let is_left = |p: &Supervised| left.iter().any(|left| left.pid == p.pid && left.start_time == p.start_time);
    let (left, gone): (Vec<_>, Vec<_>) = going.into_iter().partition(is_left);
    if !gone.is_empty() {
        ledger.forget_processes(|p| gone.contains(p))?;
    }
    Ok((gone, left))
}

/// Ends all processes in the ledger, as far as it can be read. Returns those that ended, and those that could not be
/// ended.
pub(crate) fn stop_all(ledger: &mut Ledger) -> Result<(Vec<Supervised>, Vec<Supervised>), Failure> {
    let (recorded, _) = ledger.salvage_processes();
    let left = wireloom_run::stop(&recorded.iter().map(process).collect::<Vec<_>>());
    let (left, gone): (Vec<_>, Vec<_>) = recorded.into_iter().partition(|p| left.contains(&process(p)));
    ledger.forget_processes(|p| gone.contains(p))?;
    Ok((gone, left))
}

/// Whether a document asks for that process.
pub(crate) fn is_wanted(process: &Supervised, commands: &[Command]) -> bool {
    let same = |c: &&Command| c.supervised && c.node == process.node && c.command.to_string() == process.command;
    commands.iter().any(|command| same(&command))
}

/// Puts the rooms of a topology in order, and runs its commands.
pub(crate) struct Runner<'a> {
    pub(crate) ledger: &'a mut Ledger,
    desired: &'a State,
    insides: &'a Insides,
    /// Nodes in which nothing is run.
    pub(crate) held: BTreeSet<Label>,
    /// The rooms that were made, changed or removed now.
    pub(crate) rooms: Vec<Changed>,
    /// What has run before, and now.
    pub(crate) ran: Vec<Ran>,
    /// What was run now.
    pub(crate) did: Vec<Done>,
    /// Processes that nobody asks for any more, and that could not be ended.
    pub(crate) left: Vec<Supervised>,
}

/// A command that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Done {
    pub(crate) node: Label,
    pub(crate) command: String,
    pub(crate) supervised: bool,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(ledger: &'a mut Ledger, lowered: &'a Lowered, ran: Vec<Ran>) -> Runner<'a> {
        let Lowered { desired, insides, .. } = lowered;
        Runner {
            ledger,
            desired,
            insides,
            held: BTreeSet::new(),
            rooms: Vec::new(),
            ran,
            did: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Runs, in the order of the document, what has not run in the namespaces that are there now. Stops at the first
    /// that fails.
    pub(crate) fn run(&mut self, commands: &[Command], cancelled: &AtomicBool) -> Result<(), Failure> {
        self.left = stop(self.ledger, |process| !is_wanted(process, commands))?.1;
        Rooms { ledger: self.ledger, desired: self.desired, insides: self.insides, commands, held: &self.held }
            .settle(&mut self.rooms)?;
        descriptors::lower();
        let mut numbers: BTreeMap<&Label, usize> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for command in commands {
            if cancelled.load(Ordering::Relaxed) {
                return Err(self.stopped());
            }
            let number = numbers.entry(&command.node).and_modify(|n| *n += 1).or_default();
            if self.held.contains(&command.node) {
                continue;
            }
            let netns = self.open(&command.node)?;
            let did = match command.supervised {
                true => self.keep(command, *number, &netns, &mut taken)?,
                false => self.once(command, &netns, cancelled)?,
            };
            if did {
                let (node, supervised) = (command.node.clone(), command.supervised);
                self.did.push(Done { node, command: command.command.to_string(), supervised });
            }
        }
        Ok(())
    }

    /// Runs a command to its end, unless it has run here.
    fn once(&mut self, command: &Command, netns: &Netns, cancelled: &AtomicBool) -> Result<bool, Failure> {
        let id = netns.id()?.to_string();
        let ran = Ran { node: command.node.clone(), netns: id, command: command.command.clone() };
        if self.ran.contains(&ran) {
            return Ok(false);
        }
        let argv = argv(&command.command);
        let within = self.within(&command.node)?;
        let program = Program { netns, name: self.name(&command.node), argv: &argv, inside: within.inside() };
        let finished = wireloom_run::run_command_until(program, None, cancelled);
        let finished = finished.map_err(|cause| self.not_run(command, cause))?;
        if finished.cancelled {
            return Err(self.stopped());
        }
        if !finished.success() {
            return Err(Failure::Command {
                topology: self.desired.owner.clone(),
                node: command.node.clone(),
                command: command.command.to_string(),
                status: finished.status,
                output: indented(&[&finished.stdout, &finished.stderr]),
            });
        }
        self.ran.push(ran);
        Ok(true)
    }

    fn stopped(&self) -> Failure {
        Failure::Stopped { topology: self.desired.owner.clone() }
    }

    /// Starts a process, unless one that was started for this command runs in this very namespace.
    fn keep(
        &mut self,
        command: &Command,
        number: usize,
        netns: &Netns,
        taken: &mut BTreeSet<u32>,
    ) -> Result<bool, Failure> {
        let title = command.command.to_string();
        let runs = |p: &Supervised| {
            let same = p.node == command.node && p.command == title && !taken.contains(&p.pid);
            same && wireloom_run::alive(&process(p)) && is_inside(p, netns)
        };
        if let Some(running) = self.ledger.processes()?.into_iter().find(runs) {
            taken.insert(running.pid);
            return Ok(false);
        }
        // One that has ended leaves its place, and one in a namespace that is not the node's any more is ended.
        stop(self.ledger, |p| p.node == command.node && p.command == title && !taken.contains(&p.pid))?;
        let argv = argv(&command.command);
        let log = self.ledger.log_path(&command.node, number);
        let within = self.within(&command.node)?;
        let program = Program { netns, name: self.name(&command.node), argv: &argv, inside: within.inside() };
        let started = wireloom_run::supervised(program, &log).map_err(|cause| self.not_run(command, cause))?;
        taken.insert(started.pid);
        let (node, Process { pid, start_time, log }) = (command.node.clone(), started);
        self.record(Supervised { node, pid, start_time, command: title, log }).map(|()| true)
    }

    /// Writes down a process. One that nobody would know of does not stay.
    fn record(&mut self, started: Supervised) -> Result<(), Failure> {
        self.ledger.record_process(&started).map_err(|cause| {
            let ended = wireloom_run::stop(&[process(&started)]).is_empty();
            let Supervised { node, pid, command, .. } = started;
            Failure::NotRecorded { topology: self.desired.owner.clone(), node, pid, command, ended, cause }
        })
    }

    fn open(&self, node: &Label) -> Result<Netns, Failure> {
        let topology = || self.desired.owner.clone();
        let gone = |cause| Failure::NodeGone { topology: topology(), node: node.clone(), cause };
        match self.desired.namespaces.get(node) {
            Some(netns) => netns.source.open().map_err(gone),
            None => Ok(Netns::current()?),
        }
    }

    fn within(&self, node: &Label) -> Result<Within, Failure> {
        Within::of(self.ledger, self.desired, self.insides, node)
    }

    fn name(&self, node: &Label) -> Option<&str> {
        self.desired.namespaces.get(node).and_then(|netns| place::name(&netns.source))
    }

    fn not_run(&self, command: &Command, cause: wireloom_run::Error) -> Failure {
        Failure::Run { topology: self.desired.owner.clone(), node: command.node.clone(), cause }
    }
}

pub(crate) fn process(supervised: &Supervised) -> Process {
    Process { pid: supervised.pid, start_time: supervised.start_time, log: supervised.log.clone() }
}

fn is_inside(process: &Supervised, netns: &Netns) -> bool {
    let inode = |netns: &Netns| netns.inode().ok();
    Netns::of_pid(process.pid).is_ok_and(|of| inode(&of).is_some() && inode(&of) == inode(netns))
}

fn indented(outputs: &[&[u8]]) -> String {
    let text: Vec<_> = outputs.iter().map(|output| String::from_utf8_lossy(output)).collect();
    text.iter().flat_map(|text| text.lines()).map(|line| format!("\n  {line}")).collect()
}
