//! Every document in docs/document.md that needs another kernel.

mod common;
mod manual;

#[test]
fn documents_of_the_manual_live_in_the_guest() {
    let examples = manual::examples();
    let there: Vec<_> = examples.iter().filter(|example| example.guest).collect();
    assert!(there.len() > 2, "only {} documents were found", there.len());
    there.iter().for_each(|example| example.lives());
}
