//! Valid but awkward numbers that the first order and the first SKU carry, so that tests can look for them byte for byte.

/// `so_id` of the order at position 0: 22 digits, beyond 2^64.
pub const SO_ID: &str = "1234567890123456789012";
/// `outer_oi_id` of its first line: 19 digits, beyond 2^53.
pub const OUTER_OI_ID: &str = "2461234567890123457";
/// `pay_amount` of that order: 18 digits with decimals.
pub const PAY_AMOUNT: &str = "1000000000000000.10";
/// `paid_amount` of that order: an exponent.
pub const PAID_AMOUNT: &str = "1E+2";
/// `weight` of the first SKU: a trailing zero.
pub const WEIGHT: &str = "0.170";
/// `autoid` of the first SKU: a number beyond 2^53 that a float cannot hold.
pub const AUTOID: i64 = 9_007_199_254_740_995;
