//! Valid but awkward numbers that the first record carries, so that tests can look for them byte for byte.

/// `id` of the record that carries them: 19 digits.
pub const ID: &str = "6920000000000000001";
/// `amount`: 28 digits with a trailing zero.
pub const AMOUNT: &str = "12345678901234567890.12345670";
