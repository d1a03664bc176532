//! Photos of people who never were: initials on a colour of their own, as Teams shows people without a picture.
//!
//! The JPEG is baseline (ITU-T T.81), written with Huffman tables of its own whose codes are all eight bits long: the
//! file says what they are, and any reader understands it.

use bytes::Bytes;

/// The sides, in pixels, that `/photos/{size}/$value` knows ("profilePhoto resource type"), smallest first.
pub const SIDES: [u16; 9] = [48, 64, 96, 120, 240, 360, 432, 504, 648];

/// Draws the photo of somebody.
pub fn draw(name: &str, side: u16) -> Bytes {
    let side = usize::from(side.clamp(8, 648));
    let letters = initials(name);
    let background = BACKGROUNDS[hash(name) as usize % BACKGROUNDS.len()];
    let picture = Picture { side, letters, background };
    Bytes::from(picture.jpeg())
}

/// A mark of the photo that changes when it does.
pub fn etag(name: &str, side: u16) -> String {
    format!("\"{:016X}{side:X}\"", hash(name))
}

fn initials(name: &str) -> Vec<[u8; 7]> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let first = words.first().and_then(|word| word.chars().next());
    let last = words.get(1..).and_then(<[&str]>::last).and_then(|word| word.chars().next());
    [first, last].into_iter().flatten().map(glyph).collect()
}

struct Picture {
    side: usize,
    letters: Vec<[u8; 7]>,
    background: [u8; 3],
}

impl Picture {
    /// White where a letter is, in the middle half; the colour elsewhere.
    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let columns = self.letters.len() * 6;
        // A cell of the font, in pixels; the letters together take about half of the width.
        let cell = (self.side / 22).max(1);
        let (width, height) = (columns.saturating_sub(1) * cell, 7 * cell);
        let (left, top) = (self.side.saturating_sub(width) / 2, self.side.saturating_sub(height) / 2);
        let inside = x >= left && y >= top && x < left + width && y < top + height;
        if inside {
            let (column, row) = ((x - left) / cell, (y - top) / cell);
            let letter = self.letters.get(column / 6);
            let is_ink = letter
                .and_then(|rows| rows.get(row))
                .is_some_and(|bits| column % 6 < 5 && bits >> (4 - column % 6) & 1 == 1);
            if is_ink {
                return [255, 255, 255];
            }
        }
        self.background
    }

    fn jpeg(&self) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8];
        file.extend([0xff, 0xe0, 0, 16]);
        file.extend(b"JFIF\0");
        file.extend([1, 1, 0, 0, 1, 0, 1, 0, 0]);
        // One table of quantisation for all: 4 everywhere, which is finer than any eye.
        file.extend([0xff, 0xdb, 0, 67, 0]);
        file.extend([QUANTUM; 64]);
        let side = (self.side as u16).to_be_bytes();
        file.extend([0xff, 0xc0, 0, 17, 8, side[0], side[1], side[0], side[1], 3]);
        file.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
        for (class, symbols) in [(0x00, dc_symbols()), (0x10, ac_symbols())] {
            let length = (19 + symbols.len()) as u16;
            file.extend([0xff, 0xc4]);
            file.extend(length.to_be_bytes());
            file.push(class);
            let mut counts = [0; 16];
            counts[7] = symbols.len() as u8;
            file.extend(counts);
            file.extend(symbols);
        }
        file.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
        self.scan(&mut file);
        file.extend([0xff, 0xd9]);
        file
    }

    fn scan(&self, file: &mut Vec<u8>) {
        let mut bits = Bits { file, held: 0, count: 0 };
        let (dc, ac) = (codes(&dc_symbols()), codes(&ac_symbols()));
        let mut before = [0; 3];
        let blocks = self.side.div_ceil(8);
        for block in 0..blocks * blocks {
            let (left, top) = (block % blocks * 8, block / blocks * 8);
            let pixels: [[u8; 3]; 64] = std::array::from_fn(|n| {
                let (x, y) = ((left + n % 8).min(self.side - 1), (top + n / 8).min(self.side - 1));
                self.pixel(x, y)
            });
            let flat = pixels.iter().all(|pixel| pixel == &pixels[0]);
            for (component, before) in before.iter_mut().enumerate() {
                let samples = pixels.map(|pixel| ycbcr(pixel)[component] - 128.0);
                let coefficients = if flat { flat_block(samples[0]) } else { transform(&samples) };
                let difference = coefficients[0] - *before;
                *before = coefficients[0];
                let size = size_of(difference);
                bits.put(dc[usize::from(size)].into(), 8);
                bits.amplitude(difference, size);
                let mut zeros = 0_u8;
                let last = coefficients.iter().rposition(|value| *value != 0).unwrap_or(0);
                for value in coefficients.iter().take(last + 1).skip(1) {
                    if *value == 0 {
                        zeros += 1;
                        continue;
                    }
                    while zeros >= 16 {
                        bits.put(ac[0xf0].into(), 8);
                        zeros -= 16;
                    }
                    let size = size_of(*value);
                    bits.put(ac[usize::from(zeros << 4 | size)].into(), 8);
                    bits.amplitude(*value, size);
                    zeros = 0;
                }
                if last < 63 {
                    bits.put(ac[0].into(), 8);
                }
            }
        }
        bits.end();
    }
}

struct Bits<'a> {
    file: &'a mut Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn put(&mut self, value: u32, length: u32) {
        self.held = self.held << length | value & ((1 << length) - 1);
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count & 0xff) as u8;
            self.file.push(byte);
            if byte == 0xff {
                self.file.push(0);
            }
        }
    }

    /// Negative numbers are written as the bits of the number less one (T.81 section F.1.2.1).
    fn amplitude(&mut self, value: i32, size: u8) {
        if size > 0 {
            let value = if value < 0 { value - 1 } else { value };
            self.put(value as u32, size.into());
        }
    }

    fn end(&mut self) {
        if self.count > 0 {
            self.put(0x7f, 8 - self.count);
        }
    }
}

fn size_of(value: i32) -> u8 {
    (32 - value.unsigned_abs().leading_zeros()) as u8
}

fn ycbcr([red, green, blue]: [u8; 3]) -> [f32; 3] {
    let (red, green, blue) = (f32::from(red), f32::from(green), f32::from(blue));
    [
        0.299 * red + 0.587 * green + 0.114 * blue,
        128.0 - 0.168_736 * red - 0.331_264 * green + 0.5 * blue,
        128.0 + 0.5 * red - 0.418_688 * green - 0.081_312 * blue,
    ]
}

fn flat_block(sample: f32) -> [i32; 64] {
    let mut block = [0; 64];
    block[0] = (sample * 8.0 / f32::from(QUANTUM)).round() as i32;
    block
}

/// The discrete cosine transform of a block, rows and then columns, quantised, in zigzag order.
fn transform(samples: &[f32; 64]) -> [i32; 64] {
    let turn = |input: &[f32; 64]| -> [f32; 64] {
        std::array::from_fn(|n| {
            let (u, row) = (n / 8, n % 8);
            let scale = if u == 0 { std::f32::consts::FRAC_1_SQRT_2 } else { 1.0 };
            let wave = |x: usize| ((2 * x + 1) as f32 * u as f32 * std::f32::consts::PI / 16.0).cos();
            (0..8).map(|x| input[row * 8 + x] * wave(x)).sum::<f32>() * scale / 2.0
        })
    };
    // Each turn transforms rows and transposes: two of them do both ways and put all back in place.
    let turned = turn(&turn(samples));
    ZIGZAG.map(|place| (turned[usize::from(place)] / f32::from(QUANTUM)).round() as i32)
}

fn dc_symbols() -> Vec<u8> {
    (0..=11).collect()
}

fn ac_symbols() -> Vec<u8> {
    let runs = (0..16).flat_map(|run| (1..=10).map(move |size| run << 4 | size));
    [0x00, 0xf0].into_iter().chain(runs).collect()
}

/// The code of each symbol: they are counted up, all of eight bits.
fn codes(symbols: &[u8]) -> [u8; 256] {
    let mut codes = [0; 256];
    for (code, symbol) in (0..).zip(symbols) {
        codes[usize::from(*symbol)] = code;
    }
    codes
}

fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The letter on a raster of five by seven, each row in the low five bits. Accents fall away; what is no letter
/// becomes a square.
fn glyph(letter: char) -> [u8; 7] {
    let plain = match letter {
        'À'..='Å' | 'à'..='å' => 'A',
        'Ç' | 'ç' | 'Č' | 'č' | 'Ć' | 'ć' => 'C',
        'È'..='Ë' | 'è'..='ë' => 'E',
        'Ì'..='Ï' | 'ì'..='ï' | 'İ' | 'ı' => 'I',
        'Ñ' | 'ñ' => 'N',
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' => 'O',
        'Š' | 'š' | 'Ş' | 'ş' => 'S',
        'Ù'..='Ü' | 'ù'..='ü' => 'U',
        'Ý' | 'ý' | 'ÿ' => 'Y',
        'Ž' | 'ž' => 'Z',
        other => other.to_ascii_uppercase(),
    };
    match u8::try_from(plain) {
        Ok(letter @ b'A'..=b'Z') => LETTERS[usize::from(letter - b'A')],
        _ => [0x1f, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1f],
    }
}

const QUANTUM: u8 = 4;
const BACKGROUNDS: [[u8; 3]; 8] = [
    [91, 95, 199],
    [3, 131, 135],
    [164, 38, 44],
    [73, 130, 5],
    [202, 80, 16],
    [136, 23, 152],
    [0, 91, 112],
    [122, 117, 116],
];
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];
const LETTERS: [[u8; 7]; 26] = [
    [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
    [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e],
    [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e],
    [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e],
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10],
    [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f],
    [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
    [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e],
    [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c],
    [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11],
    [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
    [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
    [0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11],
    [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
    [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10],
    [0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d],
    [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11],
    [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e],
    [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
    [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
    [0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04],
    [0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0a],
    [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11],
    [0x11, 0x11, 0x11, 0x0a, 0x04, 0x04, 0x04],
    [0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_a_whole_jpeg_of_its_size() {
        for side in SIDES {
            let file = draw("Béla Varga", side);
            assert_eq!(&file[..4], [0xff, 0xd8, 0xff, 0xe0]);
            assert_eq!(&file[file.len() - 2..], [0xff, 0xd9]);
            let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
            assert_eq!(file[frame + 5..frame + 7], side.to_be_bytes());
        }
    }

    #[test]
    fn a_photo_is_the_persons_own() {
        assert_ne!(draw("Ann Ash", 48), draw("Bob Ash", 48));
        assert_ne!(etag("Ann Ash", 48), etag("Ann Ash", 64));
        assert_eq!(initials("Mary Ann Lee").len(), 2);
        assert_eq!(initials("").len(), 0);
    }
}
