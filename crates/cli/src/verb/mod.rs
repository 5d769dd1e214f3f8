//! The verbs, one file each. Owns their list and how they end.

mod audit;
mod capture;
mod check;
mod completions;
mod down;
mod events;
mod exec;
mod graph;
mod impair;
mod link;
mod ls;
mod man;
mod plan;
mod schema;
mod status;
mod up;
mod validate;
mod wait;
mod watch;

use std::process::ExitCode;

pub(crate) use self::{check::try_all_results as try_all, up::waiting};

use clap::Subcommand;

use crate::{console::Console, failure::Failure};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make the network as a document says, changing only what differs
    #[command(
        after_long_help = "Examples:\n  wireloom up lab.yaml\n  wireloom up lab.yaml fast.yaml      two documents, merged"
    )]
    Up(up::Args),
    /// Bring a network up and keep it so: mend what differs, follow its document
    #[command(
        after_long_help = "Examples:\n  wireloom watch lab.yaml\n  wireloom watch lab.yaml -o json     a line for each thing that it does"
    )]
    Watch(watch::Args),
    /// Take a network down, with or without its document
    #[command(after_long_help = "Examples:\n  wireloom down triangle\n  wireloom down --all")]
    Down(down::Args),
    /// Show what `up` would change, like a diff
    #[command(
        after_long_help = "Examples:\n  wireloom plan lab.yaml\n  wireloom plan triangle --exit-code  2 when something has drifted"
    )]
    Plan(plan::Args),
    /// Show a network as it is, and what differs from its document
    #[command(after_long_help = "Examples:\n  wireloom status triangle\n  wireloom status triangle -o json")]
    Status(status::Args),
    /// Try who reaches whom, and say why not
    #[command(
        after_long_help = "Examples:\n  wireloom check triangle\n  wireloom check lab.yaml --pairs      every node to every other"
    )]
    Check(check::Args),
    /// Run a program in a node, and exit as it does
    #[command(
        after_long_help = "Examples:\n  wireloom exec r1 -- ping -c1 12.12.12.2\n  wireloom exec -t triangle r1 -- sh"
    )]
    Exec(exec::Args),
    /// Wait until files, ports, commands, interfaces or networks are as they should be; then, maybe, become a program
    #[command(
        after_long_help = "Examples:\n  wireloom wait triangle --timeout 30s\n  wireloom wait -I eth0 -t db:5432 -- server --listen"
    )]
    Wait(wait::Args),
    /// Tell what happens in networks that are up: links, addresses, what differs, what went through
    #[command(after_long_help = "Examples:\n  wireloom events\n  wireloom events triangle --interval 10s -o json")]
    Events(events::Args),
    /// Write the packets of interfaces to a file, or to a program that reads along
    #[command(
        after_long_help = "Examples:\n  wireloom capture r1:eth1 -w - | wireshark -k -i -\n  wireloom capture r1:eth1 r2:eth1 -w both.pcapng --for 10s"
    )]
    Capture(capture::Args),
    /// Draw a network: SVG, Graphviz or Mermaid; red is what is down or missing
    #[command(
        after_long_help = "Examples:\n  wireloom graph lab.yaml > lab.svg\n  wireloom graph triangle --write triangle.svg   with what is down in red\n  wireloom graph lab.yaml --format dot | dot -Tpdf > lab.pdf"
    )]
    Graph(graph::Args),
    /// Impair links of a network that is up: delay, loss, a rate and more
    #[command(
        after_long_help = "Examples:\n  wireloom impair set r1:eth1 delay 40ms 5ms loss 0.3%\n  wireloom impair show\n  wireloom impair reset --all"
    )]
    Impair(impair::Args),
    /// Take a link of a network that is up down, and up again
    #[command(after_long_help = "Examples:\n  wireloom link down r1:eth1\n  wireloom link up r1:eth1")]
    Link(link::Args),
    /// Find all mistakes of a document
    #[command(after_long_help = "Examples:\n  wireloom validate lab.yaml")]
    Validate(validate::Args),
    /// Print the JSON Schema of documents, for editors
    #[command(after_long_help = "Examples:\n  wireloom schema > wireloom.schema.json")]
    Schema(schema::Args),
    /// Print what a shell needs to complete verbs and options
    #[command(
        after_long_help = "Examples:\n  wireloom completions bash > /usr/share/bash-completion/completions/wireloom\n  wireloom completions zsh > /usr/share/zsh/site-functions/_wireloom\n  wireloom completions fish > ~/.config/fish/completions/wireloom.fish"
    )]
    Completions(completions::Args),
    /// Print the man page of a verb
    #[command(
        after_long_help = "Examples:\n  wireloom man up | man -l -\n  wireloom man --write /usr/local/share/man/man1"
    )]
    Man(man::Args),
    /// List everything on this machine that carries our mark, and whether it belongs to something
    #[command(after_long_help = "Examples:\n  wireloom audit\n  wireloom audit --fix")]
    Audit(audit::Args),
    /// List the topologies that are up
    #[command(after_long_help = "Examples:\n  wireloom ls -o json")]
    Ls(ls::Args),
}

/// How a verb ended that has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All is well.
    Fine,
    /// The answer is that something is wrong.
    Wrong,
    /// The answer is that something differs, and the user wants that as a status.
    Differs,
}

impl Verb {
    /// Does it.
    pub(crate) fn run(self, console: &Console) -> Result<Ending, Failure> {
        match self {
            Verb::Up(args) => up::run(console, &args),
            Verb::Watch(args) => watch::run(console, &args),
            Verb::Down(args) => down::run(console, &args),
            Verb::Plan(args) => plan::run(console, &args),
            Verb::Status(args) => status::run(console, &args),
            Verb::Check(args) => check::run(console, &args),
            Verb::Exec(args) => exec::run(console, &args),
            Verb::Wait(args) => wait::run(console, &args),
            Verb::Events(args) => events::run(console, &args),
            Verb::Capture(args) => capture::run(console, &args),
            Verb::Graph(args) => graph::run(console, &args),
            Verb::Impair(args) => impair::run(console, &args),
            Verb::Link(args) => link::run(console, &args),
            Verb::Validate(args) => validate::run(console, &args),
            Verb::Schema(args) => schema::run(console, &args),
            Verb::Completions(args) => completions::run(console, &args),
            Verb::Man(args) => man::run(console, &args),
            Verb::Audit(args) => audit::run(console, &args),
            Verb::Ls(args) => ls::run(console, &args),
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> ExitCode {
        match ending {
            Ending::Fine => ExitCode::SUCCESS,
            Ending::Wrong => 1.into(),
            Ending::Differs => 2.into(),
        }
    }
}
