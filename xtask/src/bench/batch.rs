//! The other baseline: `ip -batch`, in the fastest form that it has. One `ip -n NETNS -batch -` for each namespace makes
//! the link to the right with both ends in place, and gives this namespace's ends their alias and address: N+1 processes,
//! no move between namespaces, no look-up. (One process for all is impossible: a batch cannot change namespaces.)

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::chain::{Chain, End, GROUP, MTU, PREFIX};
use crate::error::Error;
use crate::program::program;

/// Makes the links of the chain, in namespaces that are there already. Writing the batches is not part of the time.
pub(super) fn run(chain: Chain) -> Result<Duration, Error> {
    let batches = batches(chain);
    let start = Instant::now();
    for (netns, batch) in &batches {
        apply(netns, batch)?;
    }
    Ok(start.elapsed())
}

/// What is done in each namespace, from left to right.
fn batches(chain: Chain) -> Vec<(String, String)> {
    let mut batches: Vec<(String, String)> = chain.netns().map(|netns| (netns, String::new())).collect();
    for (at, (near, far)) in chain.links().enumerate() {
        let both = format!("mtu {MTU} numtxqueues 1 numrxqueues 1");
        let (near_end, far_end) = (end(&near), end(&far));
        let text = &mut batches[at].1;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "link add {near_end} {both} up type veth peer {far_end} {both} netns {}", far.netns);
        settle(&mut batches[at].1, &near, "");
        settle(&mut batches[at + 1].1, &far, "up ");
    }
    batches
}

/// What names an end, and what it is made with.
fn end(end: &End) -> String {
    format!("name {} index {} address {} group {GROUP}", end.ifname, end.index, end.mac_text())
}

/// What is left to do with an end that is there.
fn settle(text: &mut String, end: &End, up: &str) {
    let _ = writeln!(text, "link set dev {} {up}alias {}", end.ifname, end.alias());
    let _ = writeln!(text, "address add {}/{PREFIX} dev {}", end.address, end.ifname);
}

fn apply(netns: &str, batch: &str) -> Result<(), Error> {
    let mut command = program("ip");
    command.args(["-n", netns, "-batch", "-"]).stdin(Stdio::piped());
    let failed = |source| Error::Start { command: format!("ip -n {netns} -batch -"), source };
    let mut child = command.spawn().map_err(failed)?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(batch.as_bytes()).map_err(failed)?;
    drop(stdin);
    let status = child.wait().map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { command: format!("ip -n {netns} -batch -"), status, output: batch.to_owned() })
}
