//! How long a link is gone that somebody has deleted while `wireloom watch` runs. Deliberately knows no other verb.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Instant;

use super::chain::Chain;
use super::results::Series;
use super::wireloom::Wireloom;
use crate::error::Error;
use crate::program::{program, run};

/// From the start of `ip link del` until the watch says that all is right and verified, so often.
pub(super) fn links(binary: &Path, repetitions: usize) -> Result<Series, Error> {
    let wireloom = Wireloom::new(binary, &Chain(1).document())?;
    let mut command = program(binary);
    command.arg("watch").arg(&wireloom.document).args(["-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut watch = command.spawn().map_err(|source| Error::Bare { source })?;
    let measured = measure(&mut watch, repetitions);
    // It leaves the network up, however it ends.
    watch.kill().and_then(|()| watch.wait()).map_err(|source| Error::Bare { source })?;
    wireloom.run("down")?;
    measured
}

fn measure(watch: &mut Child, repetitions: usize) -> Result<Series, Error> {
    let mut lines = BufReader::new(watch.stdout.take().expect("it is piped"));
    let (left, _) = Chain(1).links().next().expect("one link");
    let mut series = Series::default();
    until(&mut lines, "up")?;
    for _ in 0..repetitions {
        let start = Instant::now();
        run(program("ip").args(["-n", &left.netns, "link", "del", left.ifname]))?;
        until(&mut lines, "mended")?;
        series.push(start.elapsed());
    }
    Ok(series)
}

/// Reads lines until one tells of that.
fn until(lines: &mut BufReader<ChildStdout>, event: &str) -> Result<(), Error> {
    let mut line = String::new();
    while !line.starts_with(&format!("{{\"event\":\"{event}\"")) {
        line.clear();
        if lines.read_line(&mut line).map_err(|source| Error::Bare { source })? == 0 {
            return Err(Error::Bare { source: std::io::ErrorKind::UnexpectedEof.into() });
        }
    }
    Ok(())
}
