//! Starting a program inside a namespace, with /sys of that namespace. The one place where a program is named. Does not
//! wait for anything.

use std::{
    env, fs, io,
    process::{Child, Command, ExitStatus, Stdio},
};

use wireloom_netns::{Names, Netns, Room};

use crate::{Error, Result};

/// Runs its arguments, and writes to what it has on stdin how they end. In the background, so that signals can be passed
/// on: from before it begins, or a signal would end the shell; a wait that one has interrupted is begun again.
const KEEPER: &str = "exec 3<&0 </dev/null
for signal in HUP INT QUIT TERM USR1 USR2; do trap \"kill -s $signal \\$!\" $signal; done
\"$@\" 3<&- &
while wait $!; status=$?; kill -0 $! 2>/dev/null; do :; done
echo $status >&3";

/// A program and its arguments, where we are.
#[expect(clippy::disallowed_methods, reason = "this crate is where programs of the user are started")]
pub(crate) fn plain(argv: &[String]) -> Result<Command> {
    let (program, arguments) = argv.split_first().ok_or(Error::Empty)?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

/// Runs a line of shell where we are, to its end, and throws away what it says.
pub(crate) fn quiet_shell(line: &str) -> io::Result<ExitStatus> {
    let argv = ["sh", "-c", line].map(str::to_owned);
    let mut command = plain(&argv).map_err(io::Error::other)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// A program, its arguments, and where it runs.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// The namespace.
    pub netns: &'a Netns,
    /// The namespace's name where it has one: files in `/etc/netns/NAME` stand in for those in /etc.
    pub name: Option<&'a str>,
    /// The program and its arguments. For a line of shell: `sh`, `-c` and the line.
    pub argv: &'a [String],
    /// What it finds beside the network.
    pub inside: Inside<'a>,
}

/// What a program finds beside the network of its namespace.
#[derive(Debug, Clone, Copy, Default)]
pub enum Inside<'a> {
    /// What the machine has.
    #[default]
    Machine,
    /// The same with names of its own.
    Names(Names<'a>),
    /// A room.
    Room(&'a Room),
}

impl Program<'_> {
    /// Whether the program is there at all, as the calling thread sees files: the shell that keeps it would start anyway.
    fn look_for(&self) -> io::Result<()> {
        let name = self.argv.first().map(String::as_str).unwrap_or_default();
        let path = env::var_os("PATH").unwrap_or_default();
        let there = name.contains('/') || env::split_paths(&path).any(|folder| folder.join(name).is_file());
        // Of one with a path, the metadata tells what is wrong.
        if there && (!name.contains('/') || fs::metadata(name)?.is_file()) {
            return Ok(());
        }
        Err(io::Error::from(if there { io::ErrorKind::PermissionDenied } else { io::ErrorKind::NotFound }))
    }

    /// What the program is called in messages.
    pub(crate) fn title(&self) -> String {
        match self.argv {
            [shell, option, line] if shell == "sh" && option == "-c" => format!("`{line}`"),
            argv => argv.first().cloned().unwrap_or_default(),
        }
    }

    /// Program and arguments.
    pub(crate) fn command(&self) -> Result<Command> {
        plain(self.argv)
    }

    /// The same, kept by a shell that leaves the exit status in the file that it gets on stdin.
    #[expect(clippy::disallowed_methods, reason = "this crate is where programs of the user are started")]
    pub(crate) fn kept_command(&self) -> Result<Command> {
        if self.argv.is_empty() {
            return Err(Error::Empty);
        }
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).args(self.argv);
        Ok(command)
    }

    /// Moves the calling thread to where the program runs, for good.
    pub(crate) fn enter(&self) -> wireloom_netns::Result<()> {
        match self.inside {
            Inside::Machine => self.netns.enter_with_sysfs(self.name),
            Inside::Names(names) => self.netns.enter_with_names(self.name, &names),
            Inside::Room(room) => {
                self.netns.enter()?;
                room.enter()
            }
        }
    }

    /// Starts the command, on a thread that goes into the namespace first: the program stays where the thread was.
    pub(crate) fn start(&self, mut command: Command) -> Result<Child> {
        let inside = || {
            self.enter()?;
            Ok(self.look_for().and_then(|()| wireloom_netns::with_hang_up(|| command.spawn())))
        };
        let started = self.netns.run(inside).and_then(|started| started);
        let started = started.map_err(|source| Error::Namespace { program: self.title(), source })?;
        started.map_err(|cause| Error::not_started(&self.title(), cause))
    }
}
