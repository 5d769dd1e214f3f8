//! Scripts of impairments: times in order, links and nodes that are there. Does not play them.

use std::collections::BTreeMap;

use wireloom_engine::{Label, LinkKind, LinkRef, Qdisc, State};

use super::{Builder, Doubt};
use crate::{
    document::{
        script::{DirectionSpec, Moment, Reset, ScriptSpec, SetSpec, StepSpec},
        text::Word,
    },
    lowered::{Action, NodeInfo, Script, ScriptStep},
    mistake::Mistake,
    read::{Field, OneOrMany, Spanned},
    source::Span,
    tree::Tree,
};

/// What a script means on that network. `mistakes` are those of reading it.
pub(crate) fn script(spec: &ScriptSpec, state: &State, tree: &Tree, mistakes: Vec<Mistake>) -> (Script, Vec<Mistake>) {
    let doubt = Doubt::new(tree.whole, &mistakes);
    let mut builder = Builder::new(state.owner.clone(), false, doubt, mistakes);
    let hub = state.owner.hub();
    let nodes = state.namespaces.iter().filter(|(label, _)| ![Label::HOST, &hub].contains(&label.as_str()));
    builder.nodes =
        nodes.map(|(label, netns)| (label.clone(), NodeInfo { own: netns.own })).collect::<BTreeMap<_, _>>();
    builder.state = state.clone();
    let mut script = Script { repeat: spec.repeat.get().map_or(1, |repeat| repeat.0), steps: Vec::new() };
    if spec.steps.is_absent() {
        builder.wrong(tree.root.span, "a script without `steps`", "write `steps:` and a list of steps below it");
    }
    let mut now = 0;
    for Spanned { value: step, span } in spec.steps.get().into_iter().flatten() {
        now = builder.moment(step, now);
        let actions = builder.actions(step, *span);
        script.steps.extend(actions.into_iter().map(|action| ScriptStep { at_ms: now, action }));
    }
    (script, builder.mistakes)
}

impl Builder {
    fn moment(&mut self, step: &StepSpec, now: u64) -> u64 {
        let Some(Spanned { value: Word(Moment(at)), span }) = step.at.spanned() else { return now };
        if *at < now {
            self.wrong(
                *span,
                format!("`at` is before the step above, which is at {now}ms"),
                "write steps in their order",
            );
        }
        now.max(*at)
    }

    fn actions(&mut self, step: &StepSpec, span: Span) -> Vec<Action> {
        let given = [step.set.span(), step.reset.span(), step.link.span(), step.check.span()];
        if given.iter().flatten().count() != 1 {
            let help = "write steps like `{at: 2s, set: {link: r1:eth1, netem: delay 40ms}}`";
            self.wrong(span, "a step is one of `set`, `reset`, `link` and `check`", help);
            return Vec::new();
        }
        let mut actions = Vec::new();
        if let Some(set) = step.set.spanned() {
            actions.extend(self.set(&set.value, set.span));
        }
        actions.extend(step.reset.get().and_then(|reset| self.reset(reset)));
        if let Some(link) = step.link.spanned() {
            actions.append(&mut self.direction(&link.value, link.span));
        }
        if let Some(check) = step.check.spanned() {
            let owners = self.owners();
            self.checks.clear();
            self.add_check(&check.value, check.span, &owners);
            actions.push(Action::Check(std::mem::take(&mut self.checks)));
        }
        actions
    }

    fn set(&mut self, spec: &SetSpec, span: Span) -> Option<Action> {
        for (key, missing) in [("link", spec.link.is_absent()), ("netem", spec.netem.is_absent())] {
            if missing {
                self.wrong(span, format!("`set` without `{key}`"), "write {link: NODE:INTERFACE, netem: delay 40ms}");
            }
        }
        let links = self.links(&spec.link, &spec.both)?;
        let netem = spec.netem.spanned().filter(|netem| !netem.value.has_bad())?;
        let netem = self.noted(netem.span, netem.value.netem())?;
        Some(Action::Set { links, qdisc: Qdisc::Netem(netem) })
    }

    fn reset(&mut self, reset: &OneOrMany<Word<Reset>>) -> Option<Action> {
        let mut links = Vec::new();
        for Spanned { value: Word(reset), span } in &reset.0 {
            match reset {
                Reset::All => return Some(Action::Reset { links: Vec::new() }),
                Reset::Link(at) => links.push(self.known(at, *span)?),
            }
        }
        (!links.is_empty()).then_some(Action::Reset { links })
    }

    fn direction(&mut self, spec: &DirectionSpec, span: Span) -> Vec<Action> {
        if spec.up.is_absent() && spec.down.is_absent() {
            self.wrong(span, "`link` without `up` and `down`", "write {down: NODE:INTERFACE}");
        }
        let both = [(&spec.up, true), (&spec.down, false)];
        let action = |(field, up)| Some(Action::Link { links: self.links(field, &spec.both)?, up });
        both.into_iter().filter_map(action).collect()
    }

    fn links(&mut self, field: &Field<OneOrMany<Word<LinkRef>>>, both: &Field<bool>) -> Option<Vec<LinkRef>> {
        let mut links = Vec::new();
        for Spanned { value: Word(at), span } in &field.get()?.0 {
            let at = self.known(at, *span)?;
            let peer = self.state.link(&at).and_then(|link| link.kind.peer()).cloned();
            links.push(at.clone());
            match peer.filter(|peer| self.state.link(peer).is_some()) {
                _ if both.get() != Some(&true) => {}
                Some(peer) => links.push(peer),
                None => self.wrong(*span, format!("{at} is no cable"), "leave `both` out: there is no other end"),
            }
        }
        Some(links)
    }

    /// A link that is there, and that can be changed.
    fn known(&mut self, at: &LinkRef, span: Span) -> Option<LinkRef> {
        let found = self.state.link(at).is_some_and(|link| link.kind != LinkKind::Loopback);
        if !found {
            let links = self.state.namespaces.get(&at.netns).into_iter().flat_map(|netns| netns.links.keys());
            let links: Vec<String> = links.map(|name| format!("{}:{name}", at.netns)).collect();
            let names: Vec<&str> = links.iter().map(String::as_str).filter(|name| !name.ends_with(":lo")).collect();
            let topology = self.owner.clone();
            let help = if names.is_empty() { String::new() } else { format!("there are {}", names.join(", ")) };
            self.wrong(span, format!("{topology} has no link {at}"), help);
        }
        found.then(|| at.clone())
    }
}
