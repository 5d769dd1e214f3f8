//! Why a verb failed, in words that help, and the exit status that says it to scripts. Does not know how it is shown.

use std::io;

use serde::Serialize;
use wireloom_engine::{Error, Failure as Stopped, Kind, Label, Owner, Undone};
use wireloom_topology::mistake::Mistakes;

use crate::{capability::Capability, document, words};

/// The user's input is at fault (EX_DATAERR of sysexits.h).
const DATA: u8 = 65;
/// The kernel lacks something (EX_UNAVAILABLE).
const UNAVAILABLE: u8 = 69;
/// We may not (EX_NOPERM).
const PERMISSION: u8 = 77;
/// `exec` itself failed, and not the program: what docker, env(1) and timeout(1) say.
const NOT_BECOME: u8 = 125;
/// Everything else.
const FAILED: u8 = 1;

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The answer could not be written.
    #[error("write the answer: {0}")]
    Output(io::Error),
    /// A file of the user's could not be written.
    #[error("write {}: {cause}", .path.display())]
    Write {
        /// Where.
        path: std::path::PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// There is no such verb.
    #[error("there is no verb `{verb}`; `wireloom help` lists those that there are")]
    UnknownVerb {
        /// As it was written.
        verb: String,
    },
    /// The document is wrong.
    #[error("{0}")]
    Mistakes(Mistakes),
    /// There is no document.
    #[error(
        "no document: name one, or put {} into this folder; topologies that are up: {}",
        document::DEFAULTS[0],
        words::list(.known)
    )]
    NoDocument {
        /// Those that are up.
        known: Vec<Owner>,
    },
    /// No topology of that name is up.
    #[error("topology {name} is not up, and there is no file {name}{}", up(.known, .name))]
    NotUp {
        /// The name.
        name: Owner,
        /// Those that are up.
        known: Vec<Owner>,
    },
    /// No topology that is up has such a node, or not the one that was named.
    #[error("{} a node {node}{}", none_of(.topology.as_ref()), known_elsewhere(.node, .elsewhere, .nodes))]
    UnknownNode {
        /// The one that was named.
        topology: Option<Owner>,
        /// The name.
        node: String,
        /// Others that have such a node.
        elsewhere: Vec<Owner>,
        /// The nodes that there are.
        nodes: Vec<Label>,
    },
    /// More than one topology has such a node.
    #[error("several topologies have a node {node}: {}; choose one with -t NAME", words::list(.candidates))]
    Ambiguous {
        /// The node.
        node: String,
        /// Those that have it.
        candidates: Vec<Owner>,
    },
    /// There are no checks, and too many pairs to try them unasked.
    #[error("{topology} has {nodes} nodes and no checks of its own; `--pairs` tries all {} pairs", .nodes * (.nodes - 1))]
    ManyPairs {
        /// The topology.
        topology: Owner,
        /// How many it has.
        nodes: usize,
    },
    /// The namespace of a node is gone.
    #[error("node {node} of {topology} has no namespace: {cause}; `wireloom up` makes it again")]
    NodeGone {
        /// The topology.
        topology: Owner,
        /// The node.
        node: Label,
        /// What looking for it gave.
        cause: wireloom_netns::Error,
    },
    /// We lack rights.
    #[error("{}; run it as root, or with sudo", lacking(.0))]
    Capabilities(Vec<Capability>),
    /// Signals cannot be caught.
    #[error("catch SIGINT and SIGTERM: {0}")]
    Signals(io::Error),
    /// The kernel could not be read.
    #[error("read the state of the kernel: {0}")]
    Observe(#[from] wireloom_engine::Error),
    /// Something of others is in the way.
    #[error("{topology}: {}", in_the_way(.conflicts))]
    Conflicts {
        /// The topology.
        topology: Owner,
        /// All of it.
        conflicts: Vec<wireloom_engine::Conflict>,
    },
    /// The kernel is not as desired.
    #[error("{topology}: {cause}")]
    Converge {
        /// The topology.
        topology: Owner,
        /// Why.
        cause: Box<wireloom_engine::Failure>,
    },
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] wireloom_ledger::Error),
    /// A namespace could not be used.
    #[error(transparent)]
    Netns(#[from] wireloom_netns::Error),
    /// Links could not be listed.
    #[error("list the links of {place}: {cause}")]
    Links {
        /// The namespace.
        place: String,
        /// Why.
        cause: wireloom_netlink::Error,
    },
    /// What is stray could not be removed.
    #[error("remove {what} in {place}: {cause}")]
    Trace {
        /// What.
        what: String,
        /// The namespace.
        place: String,
        /// Why.
        cause: wireloom_netlink::Error,
    },
    /// We could not become a program.
    #[error(transparent)]
    Exec(wireloom_run::Error),
    /// Packets on a terminal.
    #[error(
        "packets are no text: name a file with -w, or have a program read along: `wireloom capture … | wireshark -k -i -`"
    )]
    Garbles,
    /// A file could not be made.
    #[error("make file {}: {cause}", path.display())]
    Create {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// What happens in a namespace could not be listened to.
    #[error("listen in {place}: {cause}")]
    Listen {
        /// The namespace.
        place: String,
        /// Why.
        cause: wireloom_netlink::Error,
    },
    /// Whether a document changes could not be watched.
    #[error("watch {}: {cause}", path.display())]
    WatchFile {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Nothing was said to wait for.
    #[error("nothing to wait for: name a network, a file (-f), an interface (-i, -I), a port (-t) or a command (-c)")]
    NothingToWaitFor,
    /// The time is over.
    #[error("after {} there is still missing: {}", words::time(*.time), words::list(.missing))]
    Late {
        /// How long it was.
        time: std::time::Duration,
        /// What is missing.
        missing: Vec<String>,
    },
    /// Told to stop while something was missing.
    #[error("told to stop while there was still missing: {}", words::list(.missing))]
    StoppedWaiting {
        /// What is missing.
        missing: Vec<String>,
    },
    /// Stdin is read once.
    #[error("stdin cannot be watched: name a file")]
    WatchStdin,
    /// Somebody else has taken a topology down while it was watched.
    #[error("somebody has taken it down")]
    TakenDown,
    /// A document that is watched has become that of another topology.
    #[error("the document is that of topology {now} now, and {then} is watched; start another watch for {now}")]
    Renamed {
        /// What it is called now.
        now: Owner,
        /// What it was called.
        then: Owner,
    },
    /// Packets could not be captured.
    #[error(transparent)]
    Capture(wireloom_capture::Error),
    /// A process could not be written down, so that nobody would end it.
    #[error("{topology} is up, but process {pid} (`{command}`) of node {node} could not be written down, and {}: {cause}", fate(*.ended))]
    NotRecorded {
        /// The topology.
        topology: Owner,
        /// Where.
        node: Label,
        /// Its number.
        pid: u32,
        /// What.
        command: String,
        /// Whether it is gone again.
        ended: bool,
        /// Why.
        cause: wireloom_ledger::Error,
    },
    /// A topology is down, and files of its ledger could not be read.
    #[error("{topology} is down as far as can be told{}", .kept.iter().map(|kept| format!("\n  {kept}")).collect::<String>())]
    Damaged {
        /// The topology.
        topology: Owner,
        /// Each file, and what may be left.
        kept: Vec<String>,
    },
    /// We did not get as far as to become a program.
    #[error("{0}")]
    NotBecome(Box<Failure>),
    /// The document asks for a setting that the kernel does not have.
    #[error("{topology}: this kernel has no setting {key}, which node {node} asks for; {rest}")]
    NoSetting {
        /// The topology.
        topology: Owner,
        /// The node.
        node: Label,
        /// The setting.
        key: String,
        /// What became of the steps before.
        rest: Undone,
    },
    /// What a node has beside its network could not be put in place.
    #[error("{topology} is up, but not the files of node {node}: {cause}")]
    Room {
        /// The topology.
        topology: Owner,
        /// Where.
        node: Label,
        /// Why.
        cause: wireloom_run::Error,
    },
    /// What a node has beside its network is not there.
    #[error(
        "the files of node {node} of {topology} are not there, or not to be seen from this mount namespace: run `up` again"
    )]
    NoRoom {
        /// The topology.
        topology: Owner,
        /// Where.
        node: Label,
    },
    /// A command of the document could not be run.
    #[error("{topology} is up, but in node {node}: {cause}")]
    Run {
        /// The topology.
        topology: Owner,
        /// Where.
        node: Label,
        /// Why.
        cause: wireloom_run::Error,
    },
    /// A command of the document failed.
    #[error("{topology} is up, but command `{command}` of node {node} failed with status {status}{output}")]
    Command {
        /// The topology.
        topology: Owner,
        /// Where.
        node: Label,
        /// What.
        command: String,
        /// Its exit status.
        status: i32,
        /// What it wrote, on lines of its own.
        output: String,
    },
    /// Told to stop between the network and its commands.
    #[error("{topology} is up, but was told to stop before all of its commands had run")]
    Stopped {
        /// The topology.
        topology: Owner,
    },
    /// What was asked for on a network that is up cannot be.
    #[error(transparent)]
    Live(#[from] crate::live::Refused),
    /// Several topologies were to be done, and some failed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<Failure>),
}

/// What is failed with, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    error: Said<'a>,
}

#[derive(Debug, Serialize)]
struct Said<'a> {
    message: String,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    mistakes: Option<&'a Mistakes>,
}

impl Failure {
    /// The exit status.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Mistakes(_) | Failure::NoSetting { .. } => DATA,
            Failure::NoDocument { .. }
            | Failure::UnknownVerb { .. }
            | Failure::Ambiguous { .. }
            | Failure::ManyPairs { .. }
            | Failure::Garbles
            | Failure::WatchStdin
            | Failure::NothingToWaitFor => crate::USAGE,
            Failure::Capabilities(_) => PERMISSION,
            Failure::Ledger(wireloom_ledger::Error::File { cause, .. })
                if cause.kind() == io::ErrorKind::PermissionDenied =>
            {
                PERMISSION
            }
            Failure::Live(crate::live::Refused::Words(_)) => crate::USAGE,
            Failure::Observe(error) => of_kind(error.kind()),
            Failure::Converge { cause, .. } => of_kind(cause.kind()),
            Failure::NotBecome(cause) => match &**cause {
                Failure::Exec(cause) => Some(cause.exit_code()).filter(|code| *code != FAILED).unwrap_or(NOT_BECOME),
                _ => NOT_BECOME,
            },
            Failure::Several(failures) => failures.first().map_or(FAILED, Failure::exit_code),
            _ => FAILED,
        }
    }

    /// Whether the reader of the answer has gone.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The mistakes of a document, if that is what it is.
    pub(crate) fn mistakes(&self) -> Option<&Mistakes> {
        match self {
            Failure::Mistakes(mistakes) => Some(mistakes),
            Failure::NotBecome(cause) => cause.mistakes(),
            _ => None,
        }
    }

    /// For programs.
    pub(crate) fn row(&self) -> Row<'_> {
        let mistakes = self.mistakes();
        let message = mistakes.map_or_else(
            || self.to_string(),
            |mistakes| format!("the document has {}", words::count(mistakes.list.len(), "mistake")),
        );
        Row { error: Said { message, exit_code: self.exit_code(), mistakes } }
    }

    /// A failure of the engine, of that topology.
    pub(crate) fn converge(topology: &Owner, cause: Stopped) -> Failure {
        match cause {
            Stopped::Conflicts(conflicts) => Failure::conflicts(topology, conflicts),
            Stopped::Step { step, error, rest } => match *error {
                Error::Sysctl { netns, key, source } if is_no_setting(&source) => {
                    Failure::NoSetting { topology: topology.clone(), node: netns, key, rest }
                }
                error => {
                    let cause = Stopped::Step { step, error: Box::new(error), rest };
                    Failure::Converge { topology: topology.clone(), cause: Box::new(cause) }
                }
            },
            cause => Failure::Converge { topology: topology.clone(), cause: Box::new(cause) },
        }
    }

    /// What is in the way of a plan.
    pub(crate) fn conflicts(topology: &Owner, conflicts: Vec<wireloom_engine::Conflict>) -> Failure {
        Failure::Conflicts { topology: topology.clone(), conflicts }
    }
}

/// What /proc/sys says to a name that is none: of a part of a name, that it is a directory.
fn is_no_setting(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)
}

/// The exit status for what the engine says. No arm for the rest: a new kind must be given a status.
fn of_kind(kind: Kind) -> u8 {
    match kind {
        Kind::Invalid => DATA,
        Kind::NotSupported => UNAVAILABLE,
        Kind::Permission => PERMISSION,
        Kind::NotFound | Kind::Exists | Kind::Busy | Kind::Interrupted | Kind::Bug => FAILED,
    }
}

fn up(known: &[Owner], name: &Owner) -> String {
    match words::nearest(name.as_str(), known.iter().map(Owner::as_str)) {
        Some(near) => format!("; did you mean {near}?"),
        None => format!("; up: {}", words::list(known)),
    }
}

fn none_of(topology: Option<&Owner>) -> String {
    topology.map_or("no topology that is up has".to_owned(), |owner| format!("topology {owner} does not have"))
}

fn known_elsewhere(node: &str, elsewhere: &[Owner], nodes: &[Label]) -> String {
    match words::nearest(node, nodes.iter().map(Label::as_str)) {
        _ if !elsewhere.is_empty() => format!("; one of that name is in {}", words::list(elsewhere)),
        Some(near) => format!("; did you mean {near}?"),
        None if nodes.is_empty() => "; no topology is up".to_owned(),
        None => format!("; nodes: {}", words::list(nodes)),
    }
}

fn fate(ended: bool) -> &'static str {
    if ended { "was ended again" } else { "could not be ended either" }
}

fn lacking(capabilities: &[Capability]) -> String {
    let needs = capabilities.iter().map(|capability| format!("{} {}", capability.name, capability.why));
    format!("this needs {}", needs.collect::<Vec<_>>().join(", and "))
}

fn in_the_way(conflicts: &[wireloom_engine::Conflict]) -> String {
    match conflicts {
        [only] => format!("{only}; nothing was changed"),
        several => {
            let lines: Vec<_> = several.iter().map(|conflict| format!("\n  {conflict}")).collect();
            format!("{} in the way, nothing was changed:{}", words::count(several.len(), "thing"), lines.concat())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{NET_ADMIN, SYS_ADMIN};

    #[test]
    fn every_kind_of_the_engine_has_its_status() {
        let expected = |kind| match kind {
            Kind::Invalid => 65,
            Kind::NotSupported => 69,
            Kind::Permission => 77,
            _ => 1,
        };
        for kind in Kind::ALL {
            assert_eq!(of_kind(kind), expected(kind), "{kind:?}");
        }
    }

    #[test]
    fn what_we_lack_is_named_with_its_reason() {
        let text = Failure::Capabilities(vec![NET_ADMIN, SYS_ADMIN]).to_string();
        assert!(text.starts_with("this needs CAP_NET_ADMIN to change links"), "{text}");
        assert!(text.contains("and CAP_SYS_ADMIN to make"), "{text}");
    }

    #[test]
    fn a_name_nearby_is_proposed() {
        let known = vec!["triangle".parse().unwrap(), "lab".parse().unwrap()];
        let failure = Failure::NotUp { name: "tirangle".parse().unwrap(), known };
        assert!(failure.to_string().ends_with("did you mean triangle?"), "{failure}");
        let nodes = vec!["r1".parse().unwrap(), "web".parse().unwrap()];
        let failure =
            Failure::UnknownNode { topology: None, node: "database".to_owned(), elsewhere: Vec::new(), nodes };
        assert!(failure.to_string().ends_with("nodes: r1, web"), "{failure}");
    }
}
