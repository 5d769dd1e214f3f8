//! Starting a program inside a namespace, with /sys of that namespace. The one place where a program is named. Does not
//! wait for anything.

use std::process::{Child, Command};

use wireloom_netns::Netns;

use crate::{Error, Result};

/// A program, its arguments, and where it runs.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// The namespace.
    pub netns: &'a Netns,
    /// The namespace's name where it has one: files in `/etc/netns/NAME` stand in for those in /etc.
    pub name: Option<&'a str>,
    /// The program and its arguments. For a line of shell: `sh`, `-c` and the line.
    pub argv: &'a [String],
}

impl Program<'_> {
    /// What the program is called in messages.
    pub(crate) fn title(&self) -> String {
        match self.argv {
            [shell, option, line] if shell == "sh" && option == "-c" => format!("`{line}`"),
            argv => argv.first().cloned().unwrap_or_default(),
        }
    }

    /// Program and arguments.
    #[expect(clippy::disallowed_methods, reason = "this crate is where programs of the user are started")]
    pub(crate) fn command(&self) -> Result<Command> {
        let (program, arguments) = self.argv.split_first().ok_or(Error::Empty)?;
        let mut command = Command::new(program);
        command.args(arguments);
        Ok(command)
    }

    /// Starts the command, on a thread that goes into the namespace first: the program stays where the thread was.
    pub(crate) fn start(&self, mut command: Command) -> Result<Child> {
        let inside = || {
            self.netns.enter_with_sysfs(self.name)?;
            Ok(command.spawn())
        };
        let started = self.netns.run(inside).and_then(|started| started);
        let started = started.map_err(|source| Error::Namespace { program: self.title(), source })?;
        started.map_err(|cause| Error::not_started(&self.title(), cause))
    }
}
