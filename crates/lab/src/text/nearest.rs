//! The word that was probably meant.
//!
//! It does not know which words are right: whoever reads one knows its candidates. Start at
//! [`nearest`].

/// The nearest of the candidates, where one is near: one slip in three letters.
pub(crate) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A word is short; what is much longer than any is no slip of one.
    if text.chars().count() > 32 {
        return None;
    }
    let text = text.to_lowercase();
    let slips = |word: &&str| distance(&text, word);
    let nearest = candidates.into_iter().min_by_key(slips)?;
    (slips(&nearest) <= nearest.len().div_ceil(3)).then_some(nearest)
}

/// How many letters must be added, left out or changed to make one word the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}
