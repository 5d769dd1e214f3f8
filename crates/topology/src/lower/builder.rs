//! What every part of lowering works on: the state so far, where each of its links was asked for, and the mistakes.
//! Does not know the order of the parts.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
    sync::Arc,
};

use wireloom_engine::{IfName, Label, Link, LinkKind, LinkRef, Mark, Namespace, Owner, Route, Source, State};

use crate::{
    document::text::Text,
    expand::Numbers,
    lower::{bridge::Bridges, doubt::Doubt, forward::Translations, mtu::Stacked, segment::Wire, uplink::Uplinks},
    lowered::{Check, Command, Inside, NodeInfo},
    mistake::Mistake,
    read::{Field, Spanned, nearest_or},
    source::{Sources, Span},
    wrong::Wrong,
};

/// The state while it is built.
pub(crate) struct Builder {
    /// Whose state it is.
    pub(crate) owner: Owner,
    /// What has been built.
    pub(crate) state: State,
    /// The nodes of the document.
    pub(crate) nodes: BTreeMap<Label, NodeInfo>,
    /// The document does not list its nodes: whoever is named is one.
    pub(super) implied: bool,
    /// What is wrong.
    pub(crate) mistakes: Vec<Mistake>,
    /// Who can talk to whom directly.
    pub(crate) segments: Vec<Wire>,
    pub(super) bridges: Bridges,
    /// Links whose MTU depends on the one below.
    pub(super) stacked: Vec<Stacked>,
    /// Ports of bonds and vrfs, with the name of the latter.
    pub(super) joined: Vec<(LinkRef, Spanned<IfName>)>,
    /// Routes that are asked for.
    pub(crate) routes: Vec<Wanted>,
    /// Settings that are asked for: the namespace, what, and where in the document.
    pub(crate) settings: Vec<(Label, String, Span)>,
    pub(super) insides: BTreeMap<Label, Inside>,
    /// How much the files of all nodes have in them, in bytes.
    pub(super) weight: usize,
    /// The documents.
    pub(crate) sources: Arc<Sources>,
    pub(super) commands: Vec<Command>,
    pub(super) checks: Vec<Check>,
    /// What cannot be known.
    pub(crate) doubt: Doubt,
    /// Ways out.
    pub(super) uplinks: Uplinks,
    /// Forwarded ports and translated addresses.
    pub(super) translations: Translations,
    /// What is known of namespaces that exist.
    pub(super) found: State,
    places: HashMap<LinkRef, Place>,
}

/// Where a link was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The link.
    pub(crate) span: Span,
    /// Its MTU, if the document gives it.
    pub(crate) mtu: Option<Span>,
}

/// A route that is asked for.
pub(crate) struct Wanted {
    /// The namespace that it is for.
    pub(crate) netns: Label,
    /// The route.
    pub(crate) route: Route,
    /// Where it was asked for.
    pub(crate) span: Span,
}

impl Builder {
    pub(super) fn new(owner: Owner, implied: bool, doubt: Doubt, mistakes: Vec<Mistake>) -> Builder {
        Builder {
            state: State::empty(owner.clone()),
            found: State::empty(owner.clone()),
            owner,
            implied,
            mistakes,
            nodes: BTreeMap::new(),
            segments: Vec::new(),
            bridges: Bridges::default(),
            stacked: Vec::new(),
            joined: Vec::new(),
            routes: Vec::new(),
            settings: Vec::new(),
            insides: BTreeMap::new(),
            weight: 0,
            sources: Arc::default(),
            commands: Vec::new(),
            checks: Vec::new(),
            doubt,
            uplinks: Uplinks::default(),
            translations: Translations::default(),
            places: HashMap::new(),
        }
    }

    /// Notes a mistake.
    pub(crate) fn wrong(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake::at(span, message, help));
    }

    /// The value, or a noted mistake.
    pub(crate) fn noted<T>(&mut self, span: Span, result: Result<T, Wrong>) -> Option<T> {
        result.map_err(|wrong| self.wrong(span, wrong.message, wrong.help)).ok()
    }

    /// The value of a key for one copy: nothing if it is not given, `None` if it is wrong.
    pub(crate) fn filled<T>(&mut self, field: &Field<Text<T>>, numbers: &Numbers) -> Option<Option<T>>
    where
        T: FromStr<Err: fmt::Display> + Clone,
    {
        match field {
            Field::Absent => Some(None),
            Field::Bad(_) => None,
            Field::Good(spanned) => self.noted(spanned.span, spanned.value.fill(numbers)).map(Some),
        }
    }

    /// All values of a list for one copy; `None` if one is wrong.
    pub(crate) fn filled_all<'d, T>(
        &mut self,
        texts: impl IntoIterator<Item = (Span, &'d Text<T>)>,
        numbers: &Numbers,
    ) -> Option<Vec<Spanned<T>>>
    where
        T: FromStr<Err: fmt::Display> + Clone + 'd,
    {
        let texts = texts.into_iter();
        let filled: Vec<_> =
            texts.map(|(span, text)| Some(Spanned { value: self.noted(span, text.fill(numbers))?, span })).collect();
        filled.into_iter().collect()
    }

    /// The namespace of that name: a node, or `host`. One that is not there is noted.
    pub(crate) fn node(&mut self, name: &str, span: Span) -> Option<Label> {
        if name == Label::HOST {
            return Some(self.host());
        }
        if let Some((label, _)) = self.nodes.get_key_value(name) {
            return Some(label.clone());
        }
        if self.implied {
            let label = self.label(name, span)?;
            self.add_node(&label, Source::Named(self.owner.netns_of(name)), true);
            return Some(label);
        }
        if !self.doubt.may_be_node(name) {
            let known: Vec<&str> = self.nodes.keys().map(Label::as_str).collect();
            let help = nearest_or(name, &known, "add it under `nodes:`");
            self.wrong(span, format!("there is no node `{name}`"), help);
        }
        None
    }

    /// Checks the name of a node.
    pub(super) fn label(&mut self, name: &str, span: Span) -> Option<Label> {
        if name == Label::HOST || name.starts_with("wireloom-") {
            let help = "`host` and names that begin with `wireloom-` mean something else already";
            self.wrong(span, format!("a node cannot be called `{name}`"), help);
            return None;
        }
        self.noted(span, crate::document::text::parse(name))
    }

    pub(super) fn add_node(&mut self, label: &Label, source: Source, own: bool) {
        self.nodes.insert(label.clone(), NodeInfo { own });
        self.add_namespace(label, source, own);
    }

    fn add_namespace(&mut self, label: &Label, source: Source, own: bool) {
        let mut namespace = Namespace::new(source, own);
        if own {
            let mut lo = Link::new(LinkKind::Loopback);
            (lo.up, lo.alias) = (Some(true), Some(Mark::netns(&self.owner, label).to_string()));
            namespace.links.insert(IfName::lo(), lo);
        }
        self.state.namespaces.insert(label.clone(), namespace);
    }

    /// The namespace that wireloom runs in.
    pub(crate) fn host(&mut self) -> Label {
        let label: Label = Label::HOST.parse().expect("a valid name");
        if !self.state.namespaces.contains_key(&label) {
            self.add_namespace(&label, Source::Current, false);
        }
        label
    }

    /// The namespace that holds the topology's bridges.
    pub(crate) fn hub(&mut self) -> Label {
        let name = self.owner.hub();
        let label: Label = name.parse().expect("the length of the topology's name was checked");
        if !self.state.namespaces.contains_key(&label) {
            self.add_namespace(&label, Source::Named(name), true);
        }
        label
    }

    /// Whether the namespace is of our making.
    pub(crate) fn is_own(&self, label: &Label) -> bool {
        self.state.namespaces.get(label).is_some_and(|namespace| namespace.own)
    }

    /// Puts a link into the state. A name that is taken is noted.
    pub(crate) fn place(&mut self, at: LinkRef, link: Link, place: Place) -> Option<()> {
        let LinkRef { netns, ifname } = &at;
        if *ifname == IfName::lo() {
            let help = "every node has its own `lo`; addresses for it go under `loopback:` of the node";
            self.wrong(place.span, "an interface cannot be called `lo`", help);
            return None;
        }
        let links = &mut self.state.namespaces.get_mut(netns).expect("made before its links").links;
        if links.contains_key(ifname) {
            let first =
                self.places.get(&at).map_or(String::new(), |first| format!(", first in line {}", first.span.line));
            let message = format!("interface `{ifname}` is used twice in `{netns}`{first}");
            self.wrong(place.span, message, "give one of them another name");
            return None;
        }
        links.insert(*ifname, link);
        self.places.insert(at, place);
        Some(())
    }

    /// Where a link was asked for.
    pub(crate) fn place_of(&self, at: &LinkRef) -> Place {
        self.places.get(at).copied().unwrap_or(Place { span: Span::default(), mtu: None })
    }

    /// A link that has been placed.
    pub(crate) fn link_mut(&mut self, at: &LinkRef) -> Option<&mut Link> {
        self.state.namespaces.get_mut(&at.netns)?.links.get_mut(&at.ifname)
    }
}
