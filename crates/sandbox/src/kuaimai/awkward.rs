//! Valid but awkward numbers that the first order carries, so that tests can look for them byte for byte.

/// `sid` of the order that carries them; it is the order at position 0 for each seed.
pub const SID: i64 = 5_973_932_837_000_000;
/// `orders[0].oid`: 19 digits, beyond 2^53.
pub const OID: &str = "6920000000000000001";
/// `orders[1].oid`: 22 digits, beyond 2^64.
pub const LONG_OID: &str = "1234567890123456789012";
/// `weight`: a trailing zero.
pub const WEIGHT: &str = "0.10";
/// `cost`: 18 digits with decimals.
pub const COST: &str = "1000000000000000.01";
/// `grossProfit`: an exponent.
pub const GROSS_PROFIT: &str = "1E+2";
