//! JSON Lines: one object for each line; blank lines count for nothing.

use std::io::{BufRead as _, Read as _};

use milkrun_core::Result;

use crate::error::{malformed, reading};
use crate::read::Records;
use crate::read::feed::{Feed, LONGEST};

/// The lines of one file.
pub(crate) struct Lines(Feed);

impl Lines {
    pub(crate) fn new(feed: Feed) -> Self {
        Self(feed)
    }
}

impl Records for Lines {
    fn seek(&mut self) -> Result<bool> {
        Ok(self.0.peek_token().map_err(reading)?.is_some())
    }

    fn take(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        let n = (&mut self.0).take(LONGEST as u64 + 1).read_until(b'\n', out).map_err(reading)?;
        if n > LONGEST {
            return Err(malformed("a line is longer than 64 MiB").advise("is it JSON? set format = \"json\""));
        }
        while out.len() > start && out[out.len() - 1].is_ascii_whitespace() {
            out.pop();
        }
        Ok(())
    }

    fn skip(&mut self) -> Result<()> {
        self.0.skip_until(b'\n').map_err(reading)?;
        Ok(())
    }

    fn line(&self) -> u64 {
        self.0.line()
    }
}
