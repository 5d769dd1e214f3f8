//! `wireloom capture`: packets of interfaces of nodes, as pcapng, to a file or to a program that reads along. Changes
//! nothing, on the interfaces either.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use wireloom_capture::{Capture, Ended, Place, Tally, Tap};
use wireloom_engine::{LinkRef, Owner};

use super::Ending;
use crate::{
    capability::{self, PACKETS, SYS_ADMIN},
    console::{Answer, Console},
    duration,
    failure::Failure,
    paint::Paint,
    place, signals, subject, words,
};

/// Where packets go that go to stdout.
const STDOUT: &str = "-";
/// Written into the file.
const PROGRAM: &str = concat!("wireloom ", env!("CARGO_PKG_VERSION"));

/// Options of `capture`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The interfaces, each with its node
    #[arg(value_name = "NODE:INTERFACE", required = true)]
    interfaces: Vec<LinkRef>,
    /// A document of the topology; several are merged
    #[arg(short, long = "file", value_name = "FILE", env = "WIRELOOM_FILE", hide_env_values = true)]
    files: Vec<PathBuf>,
    /// The name of the topology. Needed when several that are up have a node of that name
    #[arg(short, long, value_name = "NAME", env = "WIRELOOM_TOPOLOGY", hide_env_values = true)]
    #[arg(conflicts_with = "files")]
    topology: Option<Owner>,
    /// Where to write; `-` is stdout
    #[arg(short, long, value_name = "FILE", env = "WIRELOOM_WRITE", hide_env_values = true)]
    #[arg(default_value = STDOUT)]
    write: PathBuf,
    /// End after so many packets
    #[arg(short, long, value_name = "N", env = "WIRELOOM_COUNT", hide_env_values = true)]
    count: Option<u64>,
    /// Keep so many bytes of each packet
    #[arg(short, long, value_name = "BYTES", env = "WIRELOOM_SNAPLEN", hide_env_values = true)]
    #[arg(default_value_t = 262_144, value_parser = clap::value_parser!(u32).range(1..=262_144))]
    snaplen: u32,
    /// End after this time
    #[arg(long = "for", value_name = "TIME", env = "WIRELOOM_FOR", hide_env_values = true)]
    #[arg(value_parser = duration::parse)]
    time: Option<Duration>,
}

/// What was captured.
#[derive(Debug, Serialize)]
struct Captured<'a> {
    file: &'a Path,
    ended: Ended,
    interfaces: &'a [Tally],
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let to_stdout = args.write == Path::new(STDOUT);
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::Garbles);
    }
    capability::need(&[PACKETS, SYS_ADMIN])?;
    let places = args.interfaces.iter().map(|at| locate(console, args, at)).collect::<Result<Vec<_>, _>>()?;
    let open = |place: Place| Tap::open(place, args.snaplen).map_err(Failure::Capture);
    let taps = places.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let signals = signals::catch_awake()?;
    let stdout = io::stdout();
    let out: Box<dyn Write> = match to_stdout {
        true => Box::new(stdout.lock()),
        false => Box::new(create(&args.write)?),
    };
    let capture = Capture {
        taps,
        out: BufWriter::new(out),
        reader: to_stdout.then(|| stdout.as_fd()),
        count: args.count,
        time: args.time,
        stop: &signals.stop,
        wake: signals.wake.as_fd(),
    };
    let mut tell = |tally: &Tally| tell(console, tally);
    let (ended, interfaces) = match capture.run(PROGRAM, &mut tell) {
        Err(wireloom_capture::Error::Write(error)) if to_stdout => return Err(Failure::Output(error)),
        other => other.map_err(Failure::Capture)?,
    };
    let captured = Captured { file: &args.write, ended, interfaces: &interfaces };
    match to_stdout {
        true => captured.lines().into_iter().for_each(|line| console.say(line)),
        false => console.answer(&captured)?,
    }
    Ok(if ended == Ended::Gone { Ending::Wrong } else { Ending::Fine })
}

fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|cause| Failure::Create { path: path.into(), cause })
}

fn tell(console: &Console, tally: &Tally) {
    let Tally { node, name, gone, .. } = tally;
    console.warn(format_args!("{node}:{name}: {}", gone.unwrap_or("gone")));
}

/// Where the interface is.
fn locate(console: &Console, args: &Args, at: &LinkRef) -> Result<Place, Failure> {
    let (state, node) = subject::of_node(console, &args.files, args.topology.as_ref(), at.netns.as_str())?;
    let source = &state.namespaces[&node].source;
    let path = place::path(source);
    let comment = format!("node {node} of topology {}, namespace {}", state.owner, path.display());
    Ok(Place { path, node: node.to_string(), ifname: at.ifname.to_string(), comment })
}

impl Captured<'_> {
    fn lines(&self) -> Vec<String> {
        let line = |tally: &Tally| {
            let Tally { node, name, packets, bytes, dropped, .. } = tally;
            let lost = if *dropped > 0 { format!(", {dropped} dropped by the kernel") } else { String::new() };
            format!("{node}:{name}: {}, {}{lost}", count(*packets, "packet"), count(*bytes, "byte"))
        };
        self.interfaces.iter().map(line).collect()
    }
}

fn count(number: u64, what: &str) -> String {
    words::count(usize::try_from(number).unwrap_or(usize::MAX), what)
}

impl Answer for Captured<'_> {
    fn text(&self, _: Paint, out: &mut dyn Write) -> io::Result<()> {
        self.lines().iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}
