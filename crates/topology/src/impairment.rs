//! Impairments in the words of the command line, which are those of documents. Does not know which link they are for.

use wireloom_engine::Qdisc;

use crate::document::netem::Options;

/// Words that are no impairment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n  help: {help}")]
pub struct Unclear {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// What `netem: WORDS` means in a document.
///
/// # Errors
/// The words are not those of netem, or mean nothing together.
pub fn impairment(words: &str) -> Result<Qdisc, Unclear> {
    let Options(netem) =
        words.parse::<Options>().map_err(|wrong| Unclear { message: wrong.message, help: wrong.help })?;
    Ok(Qdisc::Netem(netem))
}
