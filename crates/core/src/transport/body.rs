//! The text of an answer, which arrives in pieces that may end inside a character.

/// The pieces that have arrived, each checked while it is at hand.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    /// The beginning of a character that the last piece cut.
    cut: Vec<u8>,
}

/// What arrived is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Text {
    /// Room for so many bytes.
    pub(super) fn with_capacity(n_bytes: usize) -> Self {
        Self { text: String::with_capacity(n_bytes), cut: Vec::new() }
    }

    /// How many bytes have arrived.
    pub(super) fn len(&self) -> usize {
        self.text.len() + self.cut.len()
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<(), NotUtf8> {
        while !self.cut.is_empty()
            && let Some((first, rest)) = piece.split_first()
        {
            self.cut.push(*first);
            piece = rest;
            match str::from_utf8(&self.cut) {
                Ok(character) => {
                    self.text.push_str(character);
                    self.cut.clear();
                }
                Err(error) if error.error_len().is_some() => return Err(NotUtf8),
                Err(_) => {}
            }
        }
        let n_whole = match simdutf8::compat::from_utf8(piece) {
            Ok(text) => {
                self.text.push_str(text);
                return Ok(());
            }
            Err(error) if error.error_len().is_some() => return Err(NotUtf8),
            Err(error) => error.valid_up_to(),
        };
        let (whole, cut) = piece.split_at(n_whole);
        self.text.push_str(simdutf8::basic::from_utf8(whole).map_err(|_| NotUtf8)?);
        self.cut.extend_from_slice(cut);
        Ok(())
    }

    /// The whole text.
    pub(super) fn finish(self) -> Result<String, NotUtf8> {
        if self.cut.is_empty() { Ok(self.text) } else { Err(NotUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], ends: &[usize]) -> Option<String> {
        let mut text = Text::default();
        let mut from = 0;
        for &end in ends.iter().chain([&bytes.len()]) {
            let end = end.clamp(from, bytes.len());
            text.push(&bytes[from..end]).ok()?;
            from = end;
            assert_eq!(text.len(), from);
        }
        text.finish().ok()
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let whole = "a订单é🚚z".as_bytes();
        for first in 0..=whole.len() {
            for second in first..=whole.len() {
                assert_eq!(read(whole, &[first, second]).as_deref(), Some("a订单é🚚z"));
            }
            assert_eq!(read(&whole[..first], &[]), str::from_utf8(&whole[..first]).ok().map(str::to_owned));
        }
    }

    proptest! {
        #[test]
        fn it_takes_what_the_standard_library_takes(
            bytes in proptest::collection::vec(prop_oneof![Just(0xE8u8), Just(0xAE), Just(0xA2), any::<u8>()], 0..40),
            mut ends in proptest::collection::vec(0usize..40, 0..4),
        ) {
            ends.sort_unstable();
            prop_assert_eq!(read(&bytes, &ends), String::from_utf8(bytes).ok());
        }
    }
}
