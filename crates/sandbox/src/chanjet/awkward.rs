//! Valid but awkward values that the first rows carry, so that tests can look for them byte for byte.

/// `ID` of the second inventory record: 19 digits, beyond 2^53.
pub const ID: &str = "1999234567890123457";
/// `Expired` of the second inventory record: a text with trailing zeros.
pub const EXPIRED: &str = "12.0000";
/// `OrigTaxAmount` of the first line of the first voucher: 18 digits with decimals.
pub const AMOUNT: &str = "1000000000000000.10";
/// `Quantity` of that line: an exponent.
pub const QUANTITY: &str = "1E+2";
