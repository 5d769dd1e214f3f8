//! `wireloom wait`: until files, ports, commands, interfaces or whole networks are as they should be; then, maybe, becomes
//! a program. Also for containers, where there is no topology and no right.

use std::{
    io::{self, Write},
    os::fd::AsFd,
    path::PathBuf,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;
use wireloom_run::{Awaited, Connects, FileThere, Interface, Succeeds, Waited, Wanted, exec_here, wait_for};

use super::Ending;
use crate::{
    awaited::Network,
    console::{Answer, Console},
    descriptors, duration,
    failure::Failure,
    paint::Paint,
    place, signals, subject,
};

/// Options of `wait`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Networks, by document or name: until all in them is up, with carrier, and their checks pass
    #[arg(value_name = "FILE|NAME")]
    networks: Vec<PathBuf>,
    /// Until a file exists
    #[arg(short, long = "file", value_name = "FILE", env = "WIRELOOM_WAIT_FILE", hide_env_values = true)]
    files: Vec<PathBuf>,
    /// Until an interface exists
    #[arg(short, long = "interface", value_name = "[NODE:]INTERFACE", env = "WIRELOOM_WAIT_INTERFACE")]
    #[arg(hide_env_values = true)]
    interfaces: Vec<String>,
    /// Until an interface is up with an address
    #[arg(short = 'I', long = "address", value_name = "[NODE:]INTERFACE", env = "WIRELOOM_WAIT_ADDRESS")]
    #[arg(hide_env_values = true)]
    addresses: Vec<String>,
    /// Until an interface is up with somebody at its other end
    #[arg(long = "carrier", value_name = "[NODE:]INTERFACE", env = "WIRELOOM_WAIT_CARRIER", hide_env_values = true)]
    carriers: Vec<String>,
    /// The node of the interfaces that are written without one; else they are those of this machine or container
    #[arg(short, long, value_name = "NODE", env = "WIRELOOM_WAIT_NODE", hide_env_values = true)]
    node: Option<String>,
    /// Until somebody takes connections
    #[arg(short, long = "tcp", value_name = "HOST:PORT", env = "WIRELOOM_WAIT_TCP", hide_env_values = true)]
    #[arg(value_parser = host_and_port)]
    tcp: Vec<(String, u16)>,
    /// Until a line of shell ends with 0
    #[arg(short, long = "command", value_name = "COMMAND", env = "WIRELOOM_WAIT_COMMAND", hide_env_values = true)]
    commands: Vec<String>,
    /// After all of that, for so many seconds more
    #[arg(short, long, value_name = "SECONDS", env = "WIRELOOM_WAIT_SLEEP", hide_env_values = true)]
    #[arg(value_parser = duration::parse)]
    sleep: Option<Duration>,
    /// No longer than this: 500ms, 10s, 2m
    #[arg(long, value_name = "TIME", env = "WIRELOOM_WAIT_TIMEOUT", hide_env_values = true)]
    #[arg(value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// The program to become afterwards
    #[arg(value_name = "CMD", last = true)]
    program: Vec<String>,
}

/// How long it took.
#[derive(Debug, Serialize)]
struct WaitedFor {
    waited_ms: f64,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let start = Instant::now();
    let signals = signals::catch_awake()?;
    let mut all = awaited(console, args)?;
    if all.is_empty() && args.sleep.is_none() && args.program.is_empty() {
        return Err(Failure::NothingToWaitFor);
    }
    let deadline = args.timeout.map(|timeout| start + timeout);
    match wait_for(&mut all, deadline, &signals.stop, signals.wake.as_fd()) {
        Waited::Done => {}
        Waited::Late(missing) => return Err(Failure::Late { time: args.timeout.unwrap_or_default(), missing }),
        Waited::Stopped(missing) => return Err(Failure::StoppedWaiting { missing }),
    }
    drop(all);
    if let Some(time) = args.sleep {
        rest(time, || signals.stop.load(Ordering::Relaxed))?;
    }
    if args.program.is_empty() {
        let waited_ms = (start.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        return console.answer(&WaitedFor { waited_ms }).map(|()| Ending::Fine);
    }
    descriptors::lower();
    Err(Failure::NotBecome(Box::new(Failure::Exec(exec_here(&args.program)))))
}

/// Sleeps, and ends early when it is told to.
fn rest(time: Duration, is_told: impl Fn() -> bool) -> Result<(), Failure> {
    const SHORT: Duration = Duration::from_millis(100);
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => return Ok(()),
            false if is_told() => return Err(Failure::StoppedWaiting { missing: vec!["sleep".to_owned()] }),
            false => thread::sleep(left.min(SHORT)),
        }
    }
}

/// All that is waited for.
fn awaited<'a>(console: &'a Console, args: &'a Args) -> Result<Vec<Box<dyn Awaited + 'a>>, Failure> {
    let mut all: Vec<Box<dyn Awaited + 'a>> = Vec::new();
    for network in &args.networks {
        all.push(Box::new(Network::new(console, network)?));
    }
    let files = args.files.iter().cloned().map(FileThere);
    all.extend(files.map(|file| Box::new(file) as Box<dyn Awaited>));
    let interfaces =
        [(&args.interfaces, Wanted::There), (&args.addresses, Wanted::Addressed), (&args.carriers, Wanted::Carrier)];
    for (names, wanted) in interfaces {
        all.extend(names.iter().map(|name| Box::new(interface(console, args, name, wanted)) as Box<dyn Awaited>));
    }
    let ports = args.tcp.iter().cloned().map(|(host, port)| Connects { host, port });
    all.extend(ports.map(|port| Box::new(port) as Box<dyn Awaited>));
    let commands = args.commands.iter().cloned().map(Succeeds);
    all.extend(commands.map(|command| Box::new(command) as Box<dyn Awaited>));
    Ok(all)
}

fn interface<'a>(console: &'a Console, args: &'a Args, name: &'a str, wanted: Wanted) -> Interface<'a> {
    let (node, ifname) = match name.split_once(':') {
        Some((node, ifname)) => (Some(node), ifname),
        None => (args.node.as_deref(), name),
    };
    let place = move || {
        let Some(node) = node else { return Ok(None) };
        // The topology may come up while we wait.
        let (state, label) = subject::of_node(console, &[], None, node).map_err(|failure| failure.to_string())?;
        Ok(Some(place::path(&state.namespaces[&label].source)))
    };
    let name = node.map_or_else(|| ifname.to_owned(), |node| format!("{node}:{ifname}"));
    Interface::new(name, ifname.to_owned(), wanted, Box::new(place))
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let wrong = || "HOST:PORT is expected, such as web:80".to_owned();
    let (host, port) = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).ok_or_else(wrong)?;
    Ok((host.to_owned(), port.parse().map_err(|_| wrong())?))
}

/// For people that it is over says it all.
impl Answer for WaitedFor {
    fn text(&self, _: Paint, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
