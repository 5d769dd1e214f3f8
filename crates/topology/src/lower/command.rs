//! Commands. Does not run them.

use wireloom_engine::Label;

use crate::{
    document::{
        Document,
        command::{CommandKeys, CommandSpec, Line, NodeCommand},
        text::{Text, Word},
    },
    expand::Numbers,
    lower::Builder,
    lowered::{Command, CommandLine, OnChange},
    read::{Items, Shape},
    source::Span,
};

const NO_COMMAND: (&str, &str) = ("no command is given", "add `command: TEXT` or `command: [PROGRAM, ARGUMENT]`");

impl Builder {
    pub(super) fn add_commands(&mut self, document: &Document) {
        for spanned in document.commands.get().into_iter().flatten() {
            let (spec, span) = (&spanned.value, spanned.span);
            let Some(node) = spec.node.spanned() else {
                if spec.node.is_absent() && spec.container.is_absent() && spec.service.is_absent() {
                    self.wrong(span, "a command without a node", "add `node: NAME`");
                }
                self.check_line(spec, span);
                continue;
            };
            self.check_line(spec, span);
            let Word(pattern) = &node.value;
            for (name, numbers) in pattern.all() {
                let label = self.noted(node.span, name).and_then(|name| self.node(&name, node.span));
                let Some(label) = label else { break };
                let supervised = spec.supervised.get().copied().unwrap_or(false);
                let keys = (spec.command.get(), supervised, spec.command.is_bad());
                if self.add_line(&label, keys, span, &numbers).is_none() {
                    break;
                }
            }
        }
    }

    fn check_line(&mut self, spec: &NodeCommand, span: Span) {
        if spec.command.is_absent() {
            self.wrong(span, NO_COMMAND.0, NO_COMMAND.1);
        }
    }

    /// A command that stands at its node.
    pub(super) fn add_command(
        &mut self,
        node: &Label,
        spec: &CommandSpec,
        span: Span,
        numbers: &Numbers,
    ) -> Option<()> {
        match &spec.0 {
            Shape::Scalar(text) => self.push_command(node, self.shell(text, numbers), (false, None), span),
            Shape::List(words) => self.push_command(node, self.words(words, numbers), (false, None), span),
            Shape::Mapping(CommandKeys { command, supervised }) => {
                let keys = (command.get(), supervised.get().copied().unwrap_or(false), command.is_bad());
                self.add_line(node, keys, span, numbers)
            }
        }
    }

    fn add_line(
        &mut self,
        node: &Label,
        (line, supervised, bad): (Option<&Line>, bool, bool),
        span: Span,
        numbers: &Numbers,
    ) -> Option<()> {
        let Some(Line(line)) = line else {
            if !bad {
                self.wrong(span, NO_COMMAND.0, NO_COMMAND.1);
            }
            return None;
        };
        let line = match line {
            Shape::Scalar(text) => self.shell(text, numbers),
            Shape::List(words) => self.words(words, numbers),
            Shape::Mapping(never) => match *never {},
        };
        self.push_command(node, line, (supervised, None), span)
    }

    pub(super) fn push_command(
        &mut self,
        node: &Label,
        line: Result<CommandLine, crate::wrong::Wrong>,
        (supervised, on_change): (bool, Option<OnChange>),
        span: Span,
    ) -> Option<()> {
        let command = self.noted(span, line)?;
        if matches!(&command, CommandLine::Argv(words) if words.is_empty()) {
            self.wrong(span, "an empty command", "write at least the program");
            return None;
        }
        self.commands.push(Command { node: node.clone(), command, supervised, on_change });
        Some(())
    }

    fn shell(&self, text: &Text<String>, numbers: &Numbers) -> Result<CommandLine, crate::wrong::Wrong> {
        literal(text, numbers).map(CommandLine::Shell)
    }

    fn words(&self, words: &Items<Text<String>>, numbers: &Numbers) -> Result<CommandLine, crate::wrong::Wrong> {
        words.iter().map(|word| literal(&word.value, numbers)).collect::<Result<_, _>>().map(CommandLine::Argv)
    }
}

/// Without a range in the node's name braces belong to the shell.
pub(super) fn literal(text: &Text<String>, numbers: &Numbers) -> Result<String, crate::wrong::Wrong> {
    match text {
        Text::Template(template) if *numbers == Numbers::default() => Ok(template.as_str().to_owned()),
        Text::Template(template) => template.fill_command(numbers),
        text => text.fill(numbers),
    }
}
