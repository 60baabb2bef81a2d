//! Numbers to whole ones, in steps that processors take in lanes.

/// Numbers are whole ones up to here, which is later than any horizon.
pub(super) const MOST: f32 = (1 << 22) as f32;

/// A number of 0 or more rounded down to a whole one, and cut at [`MOST`].
#[inline(always)]
pub(super) fn whole(number: f32) -> u32 {
    // From here to twice of it floats are whole: adding it rounds to the nearest. Processors do this in lanes, while
    // a conversion that also takes what does not fit has many steps.
    const NEAREST: f32 = (1 << 23) as f32;
    let number = if number < MOST { number } else { MOST };
    let shifted = number + NEAREST;
    let is_above = u32::from(shifted - NEAREST > number);
    (shifted.to_bits() - NEAREST.to_bits()).wrapping_sub(is_above)
}

/// A number from 1 to 2^51 as the nearest whole one.
#[inline(always)]
pub(super) fn rounded(number: f64) -> i64 {
    // There doubles are whole: adding it rounds.
    const WHOLE: f64 = (1_u64 << 52) as f64;
    ((number + WHOLE).to_bits() - WHOLE.to_bits()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_rounded_down_and_cut() {
        for number in [
            0.0,
            0.4,
            0.5,
            0.999_999_94,
            1.0,
            1.5,
            131.5,
            131.999_98,
            4_194_303.5,
        ] {
            assert_eq!(whole(number), number as u32, "{number}");
        }
        for number in [MOST, 1e9, f32::INFINITY] {
            assert_eq!(whole(number), 1 << 22);
        }
    }
}
