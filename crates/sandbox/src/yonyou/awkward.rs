//! Valid but awkward numbers that the first purchase order carries, so that tests can look for them byte for byte.

/// `id` of the order that carries them, 19 digits; always a number, whatever the settings say of ids.
pub const ID: &str = "2006712890913456134";
/// `oriUnitPrice` of its first line: 8 decimals.
pub const PRICE: &str = "42.37721398";
/// `oriTaxUnitPrice` of its first line: a trailing zero.
pub const TAX_PRICE: &str = "47.88625180";
/// `oriSum` of its first line: 28 digits.
pub const SUM: &str = "12345678901234567890.12345678";
/// `invExchRate` of its first line: an exponent.
pub const RATE: &str = "1E+2";
