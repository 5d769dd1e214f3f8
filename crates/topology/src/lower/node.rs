//! Nodes: namespaces, what is on their `lo`, their settings and routes. Does not know links.

use std::collections::BTreeMap;

use wireloom_engine::{Address, IfName, Label, Link, LinkKind, Source};

use crate::{
    document::{Document, command::CommandSpec, node::NodeSpec},
    expand::{MOST, Numbers, Pattern},
    lower::{Builder, Gap, Wanted},
    read::{Field, Items, Spanned},
    source::Span,
};

impl Builder {
    pub(super) fn add_nodes(&mut self, document: &Document) {
        let empty = NodeSpec::default();
        let mut sources = BTreeMap::new();
        for (name, spec) in document.nodes.get().into_iter().flatten() {
            let Some(pattern) = self.noted(name.span, crate::document::text::parse::<Pattern>(name)) else {
                self.doubt.add_node_name(name);
                continue;
            };
            if self.nodes.len() + pattern.len() > MOST {
                self.wrong(name.span, format!("more than {MOST} nodes"), format!("{MOST} are possible"));
                self.doubt.add_node_name("");
                break;
            }
            let bad = spec.value.as_ref().is_some_and(Field::is_bad);
            let spec = spec.value.as_ref().and_then(Field::get).unwrap_or(&empty);
            let first = self.mistakes.len();
            for (copy, numbers) in pattern.all() {
                let before = self.mistakes.len();
                let label = self.noted(name.span, copy).and_then(|copy| {
                    let label = self.add_one_node(&copy, name.span, spec, &numbers, &mut sources);
                    label.or_else(|| {
                        self.doubt.add_node_name(&copy);
                        None
                    })
                });
                if let Some(label) = label.filter(|_| bad) {
                    self.doubt.add(&label, Gap::Addresses);
                }
                self.say_once(first, before);
            }
        }
    }

    fn add_one_node(
        &mut self,
        name: &str,
        span: Span,
        spec: &NodeSpec,
        numbers: &Numbers,
        sources: &mut BTreeMap<Source, Label>,
    ) -> Option<Label> {
        let label = self.label(name, span)?;
        if self.nodes.contains_key(&label) {
            self.wrong(span, format!("node `{label}` is given twice"), "give one of them another name");
            return None;
        }
        let existing = self.filled(&spec.netns, numbers);
        let (source, own) = match existing.clone().flatten() {
            None => (Source::Named(self.owner.netns_of(name)), existing == Some(None)),
            Some(path) if path.contains('/') => (Source::Path(path.into()), false),
            Some(name) => (Source::Named(name), false),
        };
        self.add_node(&label, source.clone(), own);
        if let Some(other) = sources.insert(source, label.clone()) {
            let span = spec.netns.span().unwrap_or(span);
            self.wrong(span, format!("nodes `{other}` and `{label}` are the same namespace"), "keep one of them");
        }
        if self.add_loopback(&label, spec, numbers).is_none() {
            self.doubt.add(&label, Gap::Addresses);
        }
        self.add_node_routes(&label, spec, numbers);
        self.add_sysctls(&label, spec, numbers);
        self.want_internet(&label, spec, numbers);
        self.add_own_commands(&label, spec.commands.get(), numbers);
        self.add_inside(&label, spec, numbers);
        Some(label)
    }

    fn add_loopback(&mut self, label: &Label, spec: &NodeSpec, numbers: &Numbers) -> Option<()> {
        let texts = spec.loopback.get().into_iter().flatten().map(|text| (text.span, &text.value));
        let addresses = self.filled_all(texts, numbers)?;
        if addresses.is_empty() {
            return (!self.doubt.in_value(&spec.loopback)).then_some(());
        }
        let lo = self.state.namespaces.get_mut(label)?.links.entry(IfName::lo());
        let lo = lo.or_insert_with(|| Link::new(LinkKind::Loopback));
        lo.addresses.extend(addresses.iter().map(|a| Address::new(a.value.0, a.value.0.addr().is_ipv6())));
        (!self.doubt.in_value(&spec.loopback)).then_some(())
    }

    fn add_node_routes(&mut self, label: &Label, spec: &NodeSpec, numbers: &Numbers) {
        let routes = spec.routes.get().into_iter().flatten().map(|route| (route.span, &route.value));
        for Spanned { value, span } in self.filled_all(routes, numbers).into_iter().flatten() {
            self.routes.push(Wanted { netns: label.clone(), route: value.0, span });
        }
    }

    fn add_sysctls(&mut self, label: &Label, spec: &NodeSpec, numbers: &Numbers) -> Option<()> {
        for (key, value) in spec.sysctl.get()? {
            let template = crate::expand::Template::parse(key);
            let filled = template.map_or(Ok(key.value.clone()), |template| template.fill(numbers));
            let name = self.noted(key.span, filled);
            let setting = self.noted(value.span, value.value.fill(numbers));
            let (Some(name), Some(setting)) = (name, setting) else { continue };
            let dotted = if name.contains('/') && !name.contains('.') { name.replace('/', ".") } else { name };
            if !dotted.starts_with("net.") || dotted.contains("..") {
                let help = "a namespace of the network has settings that begin with `net.`, like net.ipv4.ip_forward";
                self.wrong(key.span, format!("`{dotted}` is not a setting of a network namespace"), help);
                continue;
            }
            self.settings.push((label.clone(), dotted.clone(), key.span));
            self.state.namespaces.get_mut(label)?.sysctls.insert(dotted, setting.0);
        }
        Some(())
    }

    fn add_own_commands(&mut self, label: &Label, commands: Option<&Items<CommandSpec>>, numbers: &Numbers) {
        for command in commands.into_iter().flatten() {
            self.add_command(label, &command.value, command.span, numbers);
        }
    }
}
