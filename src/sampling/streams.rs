//! Named random streams: every draw depends on the seed, the name of its
//! source, the number of the trial and the position, and on nothing else.
//!
//! So a trial can be replayed alone, adding a building does not disturb the
//! draws of another, and two scenarios run on one seed have common random numbers.
//!
//! # How
//! - [`Source::named`] hashes a name by FNV-1a to 64 bits.
//! - Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
//!   easy as 1, 2, 3", SC11) maps the key (seed, source) and the counter (trial,
//!   position, purpose, 0) to 256 bits. It is a bijection of the counter for
//!   each key that passes BigCrush with neighbouring keys and counters, which is
//!   what a simulation with many short streams leans on.
//! - A single uniform is the first word of them. A [`Stream`] is a
//!   xoshiro256++ generator (Blackman and Vigna, "Scrambled linear pseudorandom
//!   number generators", ACM TOMS 47(4), 2021) whose state is all 256 bits.
//!
//! The values never change from one release to another without a word in the
//! changelog; tests pin them. Only integer operations, the four arithmetic
//! operations, square roots and `libm` are used, so the bits are the same on
//! every machine.

use std::convert::Infallible;

use rand::{Rng, SeedableRng, TryRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// A named source of randomness, such as the duration of one activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Source(u64);

/// What the 256 bits of a counter are for, so that a source's single uniform
/// and its streams share nothing.
#[derive(Clone, Copy)]
enum Purpose {
    Uniform = 0,
    Stream = 1,
    Permutation = 2,
    Scrambling = 3,
}

impl Source {
    /// The source of that name: the same on every machine and in every release.
    ///
    /// The name's UTF-8 bytes are hashed by 64-bit FNV-1a (Fowler, Noll and Vo;
    /// RFC 9923). Among a million names, two share a hash with a probability of
    /// 3e-8.
    ///
    /// ```
    /// use buildout::sampling::streams::Source;
    /// let shell = Source::named("Qingyang/A1/shell");
    /// assert_eq!(shell.uniform(7, 0), shell.uniform(7, 0));
    /// assert_ne!(shell.uniform(7, 0), shell.uniform(7, 1));
    /// ```
    pub fn named(name: &str) -> Self {
        const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let hash = name.bytes().fold(OFFSET_BASIS, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        Self(hash)
    }

    /// The hash of the name, which stands for the source.
    pub fn id(self) -> u64 {
        self.0
    }

    /// The source's one number of a trial: uniform in the open interval (0, 1).
    ///
    /// It is independent of the draws of [`Source::stream`].
    pub fn uniform(self, seed: u64, trial: u64) -> f64 {
        self.uniform_at(seed, trial, 0)
    }

    /// The source's number at a position of a trial, such as a month: uniform in
    /// (0, 1). Position 0 is [`Source::uniform`].
    #[inline]
    pub fn uniform_at(self, seed: u64, trial: u64, position: u64) -> f64 {
        open_unit(self.bits(seed, trial, position, Purpose::Uniform)[0])
    }

    /// The source's stream of numbers in a trial.
    pub fn stream(self, seed: u64, trial: u64) -> Stream {
        self.stream_at(seed, trial, 0)
    }

    /// The source's stream at a position of a trial, such as a month, so that
    /// what one month draws does not shift the draws of the next.
    /// Position 0 is [`Source::stream`].
    #[inline]
    pub fn stream_at(self, seed: u64, trial: u64, position: u64) -> Stream {
        Stream::of(self.bits(seed, trial, position, Purpose::Stream))
    }

    /// What picks the source's permutation in a Latin hypercube.
    #[inline]
    pub(super) fn permutation_keys(self, seed: u64, cube: u64) -> [u64; 4] {
        self.bits(seed, cube, 0, Purpose::Permutation)
    }

    /// What scrambles the source's dimension in a replicate of a Sobol' sequence.
    pub(super) fn scrambling(self, seed: u64, replicate: u64) -> Stream {
        Stream::of(self.bits(seed, replicate, 0, Purpose::Scrambling))
    }

    #[inline]
    fn bits(self, seed: u64, trial: u64, position: u64, purpose: Purpose) -> [u64; 4] {
        philox4x64_10([trial, position, purpose as u64, 0], [seed, self.0])
    }
}

/// A stream of random numbers; opened by [`Source::stream`].
///
/// It is a generator of the `rand` crate, so any of its distributions can be
/// sampled from it. Those of `rand_distr` may use the platform's exponential and
/// logarithm; where the same bits everywhere matter use the methods below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.generator.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.generator.try_next_u64()
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.generator.try_fill_bytes(bytes)
    }
}

impl Stream {
    #[inline]
    fn of(bits: [u64; 4]) -> Self {
        let mut state = [0; 32];
        for (bytes, word) in state.chunks_exact_mut(8).zip(bits) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self {
            generator: Xoshiro256PlusPlus::from_seed(state),
        }
    }

    /// A number uniform in the open interval (0, 1): one of the 2^52 odd multiples
    /// of 2^-53, so that `u` and `1 - u` are equally likely.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.generator.next_u64())
    }

    /// Fills a list with the next numbers of [`Self::uniform`].
    #[inline(always)]
    pub fn fill(&mut self, to: &mut [f64]) {
        // In a copy, whose state stays in registers.
        let mut stream = self.clone();
        for u in to {
            *u = stream.uniform();
        }
        *self = stream;
    }

    /// Lets each of as many as `to` is long succeed with `probability`, that is where the next [`Self::uniform`] lies
    /// below it, and puts the numbers of those that do, from 0 and in ascending order, to its front. How many they are.
    #[inline(always)]
    pub fn pick(&mut self, probability: f64, to: &mut [u32]) -> usize {
        // The uniform of k, the upper 52 bits of a word, is (2k + 1) 2^-53: so it is words that are compared.
        let below = (probability * (1_u64 << 53) as f64).ceil() as u64 / 2;
        let is_certain = below >> 52 > 0;
        let below = if is_certain { u64::MAX } else { below << 12 };
        let mut stream = self.clone();
        let mut found = 0;
        for number in 0..to.len() {
            // Without a branch, which would be a matter of chance.
            to[found] = number as u32;
            found += usize::from(stream.generator.next_u64() < below);
        }
        *self = stream;
        if is_certain {
            // There is one word that is not below the greatest one.
            (0..).zip(&mut *to).for_each(|(number, to)| *to = number);
            found = to.len();
        }
        found
    }

    /// A number of the exponential distribution with mean 1: -ln u of a uniform u.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    /// How many events happen when `mean` are expected: Poisson distributed.
    ///
    /// Below a mean of 10 by inversion (Devroye, "Non-Uniform Random Variate
    /// Generation", 1986, X.3.3), with one uniform; from there by transformed
    /// rejection, algorithm PTRS (Hörmann, "The transformed rejection method for
    /// generating Poisson random variables", Insurance: Mathematics and Economics
    /// 12, 1993), accepting by Loader's saddle-point form of the probability.
    ///
    /// A mean of 0 gives 0, as does one that is negative or NaN, which no Poisson
    /// distribution has. Means are cut at 1e15.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 0.0 {
            if mean < 10.0 {
                self.poisson_by_inversion(mean)
            } else {
                self.poisson_by_rejection(mean.min(1e15))
            }
        } else {
            0
        }
    }

    fn poisson_by_inversion(&mut self, mean: f64) -> u64 {
        let none = libm::exp(-mean);
        loop {
            let mut left = self.uniform();
            let mut probability = none;
            let mut count = 0_u64;
            // The probability beyond 200 at a mean below 10 is under 1e-170, so a
            // walk that gets there has only met the rounding of the sum near 1.
            while count <= 200 {
                if left <= probability {
                    return count;
                }
                left -= probability;
                count += 1;
                probability *= mean / count as f64;
            }
        }
    }

    fn poisson_by_rejection(&mut self, mean: f64) -> u64 {
        // The constants are those of Hörmann (1993), table of algorithm PTRS.
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let squeeze = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = self.uniform() - 0.5;
            let v = self.uniform();
            let us = 0.5 - u.abs();
            let count = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= squeeze {
                return count as u64;
            }
            if count < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let ratio = v * inverse_alpha / (a / (us * us) + b);
            if libm::log(ratio) <= ln_poisson(count, mean) {
                return count as u64;
            }
        }
    }

    /// How many of `trials` succeed when each does with `probability`: binomially
    /// distributed.
    ///
    /// By inversion (Devroye, 1986, X.4.3) where the rarer result is expected
    /// fewer than 10 times; otherwise by transformed rejection, algorithm BTRS
    /// (Hörmann, "The generation of binomial random variates", Journal of
    /// Statistical Computation and Simulation 46, 1993).
    ///
    /// A probability outside of 0 to 1 counts as the nearer end, NaN as 0.
    pub fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        if trials == 0 || probability.is_nan() || probability <= 0.0 {
            return 0;
        }
        if probability >= 1.0 {
            return trials;
        }
        let n = trials as f64;
        let rarer = probability.min(1.0 - probability);
        let count = if n * rarer < 10.0 {
            self.binomial_by_inversion(trials, rarer)
        } else {
            self.binomial_by_rejection(n, rarer)
        };
        let count = count.min(trials);
        if probability <= 0.5 {
            count
        } else {
            trials - count
        }
    }

    fn binomial_by_inversion(&mut self, trials: u64, probability: f64) -> u64 {
        let n = trials as f64;
        let odds = probability / (1.0 - probability);
        let none = libm::exp(n * libm::log1p(-probability));
        loop {
            let mut left = self.uniform();
            let mut mass = none;
            let mut count = 0_u64;
            // Beyond 200 at a mean below 10 the probability is under 1e-170.
            while count <= trials.min(200) {
                if left <= mass {
                    return count;
                }
                left -= mass;
                mass *= odds * (n - count as f64) / (count + 1) as f64;
                count += 1;
            }
        }
    }

    fn binomial_by_rejection(&mut self, n: f64, probability: f64) -> u64 {
        // The constants are those of Hörmann (1993), table of algorithm BTRS.
        let spread = (n * probability * (1.0 - probability)).sqrt();
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * probability;
        let c = n * probability + 0.5;
        let squeeze = 0.92 - 4.2 / b;
        let alpha = (2.83 + 5.1 / b) * spread;
        let mode = ((n + 1.0) * probability).floor();
        let at_mode = ln_binomial(mode, n, probability);
        loop {
            let u = self.uniform() - 0.5;
            let v = self.uniform();
            let us = 0.5 - u.abs();
            let count = ((2.0 * a / us + b) * u + c).floor();
            if us >= 0.07 && v <= squeeze {
                return count as u64;
            }
            if !(0.0..=n).contains(&count) {
                continue;
            }
            let ratio = v * alpha / (a / (us * us) + b);
            if libm::log(ratio) <= ln_binomial(count, n, probability) - at_mode {
                return count as u64;
            }
        }
    }
}

/// The odd multiple of 2^-53 that 52 random bits stand for.
#[inline]
pub(super) fn open_unit(bits: u64) -> f64 {
    // The upper 52 bits k as the mantissa of 1 + k 2^-52, from which 1 - 2^-53 is taken: nothing is rounded.
    const ONE_LESS_HALF_A_STEP: f64 = 1.0 - f64::EPSILON / 2.0;
    f64::from_bits((bits >> 12) | 1.0_f64.to_bits()) - ONE_LESS_HALF_A_STEP
}

/// Philox4x64-10 of Random123: `counter` under `key`.
#[inline]
fn philox4x64_10(mut counter: [u64; 4], mut key: [u64; 2]) -> [u64; 4] {
    const MULTIPLIERS: [u64; 2] = [0xd2e7_470e_e14c_6c93, 0xca5a_8263_9512_1157];
    // The golden ratio and the square root of 3, less 1.
    const WEYL: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b];
    for _ in 0..10 {
        let first = u128::from(MULTIPLIERS[0]) * u128::from(counter[0]);
        let second = u128::from(MULTIPLIERS[1]) * u128::from(counter[2]);
        counter = [
            (second >> 64) as u64 ^ counter[1] ^ key[0],
            second as u64,
            (first >> 64) as u64 ^ counter[3] ^ key[1],
            first as u64,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

// Probabilities in the form of Loader, "Fast and Accurate Computation of Binomial
// Probabilities" (2000): no large terms cancel, so they stay accurate at large means.

/// ln of the Poisson probability of `count` (whole, 0 or more) at `mean`.
fn ln_poisson(count: f64, mean: f64) -> f64 {
    if count == 0.0 {
        return -mean;
    }
    -stirling_error(count) - deviance(count, mean) - 0.5 * libm::log(std::f64::consts::TAU * count)
}

/// ln of the binomial probability of `count` (whole, 0 to n) among `n`.
fn ln_binomial(count: f64, n: f64, probability: f64) -> f64 {
    if count == 0.0 {
        return n * libm::log1p(-probability);
    }
    if count == n {
        return n * libm::log(probability);
    }
    let rest = n - count;
    stirling_error(n)
        - stirling_error(count)
        - stirling_error(rest)
        - deviance(count, n * probability)
        - deviance(rest, n * (1.0 - probability))
        + 0.5 * libm::log(n / (std::f64::consts::TAU * count * rest))
}

/// x ln(x / mean) + mean - x, for x above 0.
fn deviance(x: f64, mean: f64) -> f64 {
    let excess = (x - mean) / mean;
    mean * ((1.0 + excess) * libm::log1p(excess) - excess)
}

/// ln n! less its Stirling approximation (n + 1/2) ln n - n + ln(2 pi) / 2, for whole n from 1.
fn stirling_error(n: f64) -> f64 {
    // To 15 from the definition in 60 decimal digits; beyond, four terms of the
    // Stirling series err by less than 1e-13.
    const SMALL: [f64; 16] = [
        0.0,
        0.081_061_466_795_327_26,
        0.041_340_695_955_409_3,
        0.027_677_925_684_998_34,
        0.020_790_672_103_765_093,
        0.016_644_691_189_821_192,
        0.013_876_128_823_070_747,
        0.011_896_709_945_891_77,
        0.010_411_265_261_972_096,
        0.009_255_462_182_712_732,
        0.008_330_563_433_362_87,
        0.007_573_675_487_951_84,
        0.006_942_840_107_209_529,
        0.006_408_994_188_004_207,
        0.005_951_370_112_758_847,
        0.005_554_733_551_962_801,
    ];
    if n < 16.0 {
        return SMALL[n as usize];
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / n
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that come with Random123 (Salmon, Moraes, Dror & Shaw, "Parallel Random
    /// Numbers: As Easy as 1, 2, 3", 2011).
    #[test]
    fn philox_gives_its_known_answers() {
        assert_eq!(
            philox4x64_10([0; 4], [0; 2]),
            [
                0x1655_4d9e_ca36_314c,
                0xdb20_fe9d_672d_0fdc,
                0xd7e7_72ce_e186_176b,
                0x7e68_b68a_ec7b_a23b
            ]
        );
        assert_eq!(
            philox4x64_10([u64::MAX; 4], [u64::MAX; 2]),
            [
                0x87b0_92c3_013f_e90b,
                0x438c_3c67_be8d_0224,
                0x9cc7_d7c6_9cd7_77b6,
                0xa09c_aebf_594f_0ba0
            ]
        );
        assert_eq!(
            philox4x64_10(
                [
                    0x243f_6a88_85a3_08d3,
                    0x1319_8a2e_0370_7344,
                    0xa409_3822_299f_31d0,
                    0x082e_fa98_ec4e_6c89
                ],
                [0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c]
            ),
            [
                0xa528_f454_03e6_1d95,
                0x38c7_2dbd_566e_9788,
                0xa5a1_610e_72fd_18b5,
                0x57bd_43b5_e52b_7fe6
            ]
        );
    }

    /// What may not change from release to release: a seed means the same future for ever.
    #[test]
    fn a_named_source_keeps_its_numbers() {
        let source = Source::named("Qingyang/A1/shell");
        let first = source.uniform(7, 0);
        assert_eq!(first, source.uniform_at(7, 0, 0));
        let mut stream = source.stream(7, 0);
        let drawn = [stream.uniform(), stream.uniform(), stream.uniform()];
        assert_eq!((first, drawn), PINNED);
    }

    const PINNED: (f64, [f64; 3]) = (
        0.238_289_302_097_315_25,
        [
            0.367_381_202_954_775_94,
            0.435_044_075_154_597_78,
            0.744_652_860_750_708_9,
        ],
    );

    #[test]
    fn a_uniform_number_is_never_0_or_1() {
        assert!(open_unit(0) > 0.0);
        assert!(open_unit(u64::MAX) < 1.0);
        assert_eq!(1.0 - open_unit(0), open_unit(u64::MAX));
    }

    #[test]
    fn seed_name_trial_and_position_each_change_the_draw() {
        let source = Source::named("a");
        let all = [
            source.uniform_at(1, 2, 3),
            Source::named("b").uniform_at(1, 2, 3),
            source.uniform_at(2, 2, 3),
            source.uniform_at(1, 3, 3),
            source.uniform_at(1, 2, 4),
            source.stream_at(1, 2, 3).uniform(),
        ];
        for (position, value) in all.iter().enumerate() {
            assert!(!all[..position].contains(value));
        }
    }

    /// Pearson's chi-squared of counts against the probabilities of `mass`, over the counts that
    /// are expected at least 20 times and the two tails put together.
    fn chi_squared(counts: &[u64], draws: u64, mass: impl Fn(u64) -> f64) -> (f64, usize) {
        let (mut sum, mut cells, mut left, mut seen) = (0.0, 0, draws as f64, draws);
        for (value, &count) in counts.iter().enumerate() {
            let expected = mass(value as u64) * draws as f64;
            if expected >= 20.0 {
                sum += (count as f64 - expected).powi(2) / expected;
                cells += 1;
                left -= expected;
                seen -= count;
            }
        }
        if left >= 20.0 {
            sum += (seen as f64 - left).powi(2) / left;
            cells += 1;
        }
        (sum, cells - 1)
    }

    /// With this many degrees of freedom the statistic has that mean and variance 2 x degrees; five
    /// standard deviations are allowed, as the seed is fixed.
    fn fits(draw: impl Fn(&mut Stream) -> u64, mass: impl Fn(u64) -> f64, what: &str) {
        const DRAWS: u64 = 200_000;
        let mut stream = Source::named(what).stream(11, 0);
        let mut counts = vec![0; 4_000];
        for _ in 0..DRAWS {
            counts[draw(&mut stream) as usize] += 1;
        }
        let (statistic, degrees) = chi_squared(&counts, DRAWS, mass);
        let bound = degrees as f64 + 5.0 * (2.0 * degrees as f64).sqrt();
        assert!(
            statistic < bound,
            "{what}: {statistic} with {degrees} degrees of freedom"
        );
    }

    #[test]
    fn poisson_counts_have_their_distribution() {
        use statrs::distribution::{Discrete, Poisson};
        for mean in [0.01, 0.7, 3.0, 9.99, 10.0, 25.0, 300.0, 2_000.0] {
            let exact = Poisson::new(mean).unwrap();
            fits(
                |stream| stream.poisson(mean),
                |k| exact.pmf(k),
                &format!("poisson {mean}"),
            );
        }
        let mut stream = Source::named("a").stream(1, 1);
        assert_eq!(
            [0.0, -1.0, f64::NAN].map(|mean| stream.poisson(mean)),
            [0; 3]
        );
    }

    #[test]
    fn binomial_counts_have_their_distribution() {
        use statrs::distribution::{Binomial, Discrete};
        for (n, p) in [
            (1, 0.3),
            (20, 0.25),
            (40, 0.9),
            (100, 0.5),
            (1_000, 0.02),
            (3_000, 0.7),
        ] {
            let exact = Binomial::new(p, n).unwrap();
            fits(
                |stream| stream.binomial(n, p),
                |k| exact.pmf(k),
                &format!("binomial {n} {p}"),
            );
        }
        let mut stream = Source::named("a").stream(1, 1);
        assert_eq!([0.0, -1.0, f64::NAN].map(|p| stream.binomial(9, p)), [0; 3]);
        assert_eq!(stream.binomial(9, 1.5), 9);
    }

    #[test]
    fn lists_are_drawn_as_their_numbers_one_by_one_are() {
        let source = Source::named("a");
        let mut list = [0.0; 50];
        source.stream(1, 1).fill(&mut list);
        let mut stream = source.stream(1, 1);
        assert!(list.iter().all(|&u| u == stream.uniform()));
        // On the edge, too: below a probability that is one of the uniforms it does not lie.
        for probability in [0.0, 0.25, list[7], 1.0, f64::NAN, -1.0, 2.0] {
            let mut stream = source.stream(1, 1);
            let mut numbers = [99; 50];
            let found = stream.pick(probability, &mut numbers);
            let expected = (0..50).filter(|&number| list[number as usize] < probability);
            assert!(
                numbers[..found].iter().copied().eq(expected),
                "{probability}"
            );
            assert_ne!(stream.uniform(), list[0]);
        }
    }

    /// The mean of n exponentials has a standard error of 1/sqrt(n); five of them are allowed.
    #[test]
    fn exponential_times_have_a_mean_of_1() {
        let mut stream = Source::named("exponential").stream(3, 0);
        let draws = 100_000;
        let sum: f64 = (0..draws).map(|_| stream.exponential()).sum();
        let mean = sum / f64::from(draws);
        assert!((mean - 1.0).abs() < 5.0 / f64::from(draws).sqrt(), "{mean}");
    }
}
