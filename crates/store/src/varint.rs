//! Numbers that take as few bytes as they need: LEB128, seven bits a byte, the lowest first.

/// Appends a number.
pub(crate) fn write(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n.to_le_bytes()[0] | 0x80);
        n >>= 7;
    }
    out.push(n.to_le_bytes()[0]);
}

/// Appends a number that may be negative; those close to zero are short.
pub(crate) fn write_signed(out: &mut Vec<u8>, n: i64) {
    write(out, ((n << 1) ^ (n >> 63)).cast_unsigned());
}

/// Takes what [`write`] appended from the start of `bytes`; `None` if it is anything else.
pub(crate) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

/// Takes what [`write_signed`] appended.
pub(crate) fn read_signed(bytes: &mut &[u8]) -> Option<i64> {
    let zigzag = read(bytes)?;
    Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were() {
        for n in [0, 1, 127, 128, 300, 1 << 35, u64::MAX] {
            let mut out = Vec::new();
            write(&mut out, n);
            write_signed(&mut out, n.cast_signed());
            write_signed(&mut out, n.cast_signed().wrapping_neg());
            let mut rest = out.as_slice();
            assert_eq!(read(&mut rest), Some(n));
            assert_eq!(read_signed(&mut rest), Some(n.cast_signed()));
            assert_eq!(read_signed(&mut rest), Some(n.cast_signed().wrapping_neg()));
            assert!(rest.is_empty());
        }
        assert_eq!(read(&mut [0x80_u8; 3].as_slice()), None);
        assert_eq!(read(&mut [0x80_u8; 11].as_slice()), None);
    }
}
