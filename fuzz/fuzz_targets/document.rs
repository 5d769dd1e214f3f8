//! Any bytes as a document: reading and lowering never panic, every mistake has a place inside the file and can be
//! rendered, and what is right can be written, read back and drawn.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wireloom_engine::State;
use wireloom_topology::{Lowered, load::load_text, lower_tree, mistake::Mistakes, variables::Variables};

/// A picture of more takes longer than an input should.
const DRAWN: usize = 200;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let lowered = load_text("t.yaml", &text, &Variables::none()).and_then(|tree| lower_tree(&tree, "t"));
    match lowered {
        Ok(lowered) => {
            placed(&lowered.warnings, &text);
            usable(&lowered);
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "it failed, and nothing is wrong");
            placed(&mistakes, &text);
        }
    }
});

/// Each mistake says something, and points into the text, in which nobody counts a byte order mark.
fn placed(mistakes: &Mistakes, text: &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split('\n').count();
    for mistake in &mistakes.list {
        let span = mistake.span;
        assert!(!mistake.message.is_empty());
        assert!(span.line as usize <= lines, "{mistake:?}: there are {lines} lines");
        let place = text.get(span.offset..span.offset.saturating_add(span.len));
        assert!(place.is_some(), "{mistake:?}: the text has {} bytes", text.len());
    }
    assert!(mistakes.is_empty() || mistakes.render(false).contains("t.yaml"));
    serde_json::to_string(mistakes).expect("mistakes are plain");
}

/// What the engine gets survives the ledger, and has a picture.
fn usable(lowered: &Lowered) {
    let text = serde_json::to_string(&lowered.desired).expect("a state can be written");
    let again: State = serde_json::from_str(&text).expect("a state can be read");
    assert_eq!(again, lowered.desired);
    if lowered.desired.count_links() <= DRAWN {
        let graph = wireloom_graph::graph(&lowered.desired, None);
        assert!(wireloom_graph::svg(&graph).ends_with("</svg>\n"));
    }
}
