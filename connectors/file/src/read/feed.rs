//! The text of one file as UTF-8 bytes: opened, decompressed, decoded, and counted in lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, GB18030};
use flate2::bufread::MultiGzDecoder;

use crate::config::{Compression, Encoding};
use crate::error::BadBytes;

const CHUNK: usize = 64 * 1024;

/// The longest record, so that a missing quote or bracket does not pull a whole file into memory.
pub(crate) const LONGEST: usize = 64 * 1024 * 1024;

/// The text of one file, and the line that the next byte is on.
pub(crate) struct Feed {
    inner: BufReader<Box<dyn Read + Send>>,
    line: u64,
}

impl Feed {
    /// Opens a file; its compression is `compression`, or what its extension stands for.
    pub(crate) fn open(path: &Path, compression: Option<Compression>, encoding: Encoding) -> io::Result<Self> {
        let compression = compression.unwrap_or_else(|| Compression::of(&path.to_string_lossy()));
        Self::of(File::open(path)?, compression, encoding)
    }

    fn of(file: impl Read + Send + 'static, compression: Compression, encoding: Encoding) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(CHUNK, file);
        let name = match compression {
            Compression::None => None,
            Compression::Gzip => Some("gzip"),
            Compression::Zstd => Some("zstd"),
        };
        if let Some(name) = name
            && file.fill_buf()?.is_empty()
        {
            return Err(BadBytes::Compression { name, cause: "the file is empty".to_owned() }.into());
        }
        let plain: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(file),
            Compression::Gzip => Box::new(Named { inner: MultiGzDecoder::new(file), name: "gzip" }),
            Compression::Zstd => Box::new(Named { inner: zstd::Decoder::with_buffer(file)?, name: "zstd" }),
        };
        let mut plain = BufReader::with_capacity(CHUNK, plain);
        refuse_other_form(plain.fill_buf()?)?;
        let text: Box<dyn Read + Send> = match encoding {
            Encoding::Utf8 => Box::new(plain),
            Encoding::Gb18030 => Box::new(Decoded::new(plain)),
        };
        let mut inner = BufReader::with_capacity(CHUNK, text);
        if inner.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
            inner.consume("\u{feff}".len());
        }
        Ok(Self { inner, line: 1 })
    }

    /// The line that the next byte is on, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The next byte, which stays; `None` at the end.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.inner.fill_buf()?.first().copied())
    }

    /// Passes over JSON's white space; the byte after it stays.
    pub(crate) fn peek_token(&mut self) -> io::Result<Option<u8>> {
        loop {
            let chunk = self.inner.fill_buf()?;
            let Some(n) = chunk.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')) else {
                let n = chunk.len();
                if n == 0 {
                    return Ok(None);
                }
                self.consume(n);
                continue;
            };
            let next = chunk[n];
            self.consume(n);
            return Ok(Some(next));
        }
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.line += newlines(&out[..n]);
        Ok(n)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.line += newlines(&self.inner.buffer()[..n]);
        self.inner.consume(n);
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&b| u64::from(b == b'\n')).sum()
}

/// Tells the forms that are most often mistaken for text.
fn refuse_other_form(start: &[u8]) -> Result<(), BadBytes> {
    let (message, help) = match start {
        [0x1f, 0x8b, ..] => ("the file is compressed with gzip", "set compression = \"gzip\""),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("the file is compressed with zstd", "set compression = \"zstd\""),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("the file is in UTF-16", "save it as UTF-8"),
        [b'P', b'K', 3, 4, ..] => ("the file is a ZIP archive, perhaps an Excel workbook", "export it as CSV or JSON"),
        _ => return Ok(()),
    };
    Err(BadBytes::Form { message, help })
}

/// A decompressor whose errors name it.
struct Named<R> {
    inner: R,
    name: &'static str,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out).map_err(|e| match e.raw_os_error() {
            Some(_) => e,
            None => BadBytes::Compression { name: self.name, cause: e.to_string() }.into(),
        })
    }
}

/// GB18030 turned into UTF-8. A sequence that it does not have is an error at its byte.
struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    /// Bytes decoded so far.
    offset: u64,
    ended: bool,
    /// What comes after the characters that were handed out last.
    failed: Option<BadBytes>,
}

impl<R: BufRead> Decoded<R> {
    fn new(inner: R) -> Self {
        Self { inner, decoder: GB18030.new_decoder_without_bom_handling(), offset: 0, ended: false, failed: None }
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            if let Some(bad) = &self.failed {
                return Err(bad.clone().into());
            }
            let chunk = self.inner.fill_buf()?;
            let last = chunk.is_empty();
            let (result, n_read, n_written) = self.decoder.decode_to_utf8_without_replacement(chunk, out, last);
            self.inner.consume(n_read);
            self.offset += n_read as u64;
            match result {
                DecoderResult::Malformed(len, after) => {
                    let offset = self.offset - u64::from(len) - u64::from(after);
                    self.failed = Some(BadBytes::Text { encoding: "GB18030", offset });
                }
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull if n_written == 0 => {
                    return Err(io::Error::other("the buffer cannot take one character"));
                }
                DecoderResult::OutputFull => {}
            }
            if n_written > 0 {
                return Ok(n_written);
            }
        }
        Ok(0)
    }
}
