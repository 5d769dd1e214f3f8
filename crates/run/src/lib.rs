//! Programs inside network namespaces: commands, processes that stay, `exec`; and checks that packets cross, made by
//! ourselves. Deliberately does not know what is wired: it gets namespaces, programs and addresses.

mod check;
mod command;
mod crowd;
mod error;
mod exec;
mod furnish;
mod group;
mod icmp;
mod neighbour;
mod outcome;
mod ping;
mod route;
mod start;
mod stray;
mod supervised;
mod tcp;
mod wait;

pub use self::{
    check::{Check, CheckKind, CheckResult},
    command::{Finished, run_command, run_command_until},
    crowd::run_checks,
    error::{Error, Result},
    exec::{exec, exec_here},
    furnish::{File, Folder, Furniture, furnish, refurnish},
    outcome::{Outcome, Why},
    ping::ping,
    route::{NextHop, RouteWanted},
    start::{Inside, Program},
    stray::{Stray, stop_strays},
    supervised::{Ended, Process, alive, ended, hang_up, stop, supervised},
    tcp::{tcp, tcp_until},
    wait::{Awaited, Connects, FileThere, Interface, Succeeds, Waited, Wanted, wait_for},
};
