//! Comparing with published tables: every digit that was printed must be right.

/// Asserts that a value, rounded to as many digits as were printed, is what was printed.
#[track_caller]
pub(crate) fn assert_digits(value: f64, printed: &str) {
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let expected: f64 = printed.parse().unwrap();
    // Half a unit of the last digit, and the error of a float on top of it.
    let half = 0.5 * 10f64.powi(-i32::try_from(decimals).unwrap());
    let allowed = half * 1.001 + expected.abs() * 1e-13;
    assert!((value - expected).abs() <= allowed, "{value} is not {printed}");
}
