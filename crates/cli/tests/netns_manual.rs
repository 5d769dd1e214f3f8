//! Every document in docs/document.md that the running kernel can have.

mod common;
mod manual;

#[test]
fn documents_of_the_manual_live() {
    let examples = manual::examples();
    let here: Vec<_> = examples.iter().filter(|example| !example.guest).collect();
    assert!(here.len() > 15, "only {} documents were found", here.len());
    here.iter().for_each(|example| example.lives());
}
