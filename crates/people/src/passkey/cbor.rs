//! As much of CBOR (RFC 8949) as authenticators write: definite lengths, in the CTAP2 canonical form.

/// Reads one item after the other. Every method answers `None` where the bytes are not what it reads.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// An item that can be the key of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    /// A number.
    Number(i64),
    /// A text.
    Text(&'a str),
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many pairs follow.
    pub(super) fn map(&mut self) -> Option<u64> {
        self.expect(MAP)
    }

    /// The key of a map.
    pub(super) fn key(&mut self) -> Option<Key<'a>> {
        match self.peek()? {
            TEXT => self.text().map(Key::Text),
            _ => self.number().map(Key::Number),
        }
    }

    pub(super) fn number(&mut self) -> Option<i64> {
        match self.head()? {
            (UNSIGNED, value) => i64::try_from(value).ok(),
            (NEGATIVE, value) => i64::try_from(value).ok().map(|value| -1 - value),
            _ => None,
        }
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.expect(BYTES)?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.expect(TEXT)?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// Passes over one item, whatever it is.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.skip_within(DEPTH_MAX)
    }

    fn skip_within(&mut self, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.head()? {
            (BYTES | TEXT, length) => self.take(length).map(|_| ()),
            // Each item takes a byte at least, so that a length that is a lie ends with the bytes.
            (ARRAY, length) => (0..length).try_for_each(|_| self.skip_within(depth)),
            (MAP, length) => (0..length).try_for_each(|_| {
                self.skip_within(depth)?;
                self.skip_within(depth)
            }),
            (TAG, _) => self.skip_within(depth),
            _ => Some(()),
        }
    }

    fn expect(&mut self, major: u8) -> Option<u64> {
        let (found, value) = self.head()?;
        (found == major).then_some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().map(|first| first >> 5)
    }

    /// The kind of the next item, and its number or length.
    fn head(&mut self) -> Option<(u8, u64)> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        let value = match first & 0x1f {
            small @ 0..24 => u64::from(small),
            24 => u64::from(u8::from_be_bytes(self.array()?)),
            25 => u64::from(u16::from_be_bytes(self.array()?)),
            26 => u64::from(u32::from_be_bytes(self.array()?)),
            27 => u64::from_be_bytes(self.array()?),
            // Lengths that are told at the end; no authenticator writes them.
            _ => return None,
        };
        Some((first >> 5, value))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
/// Deepest nesting that is passed over; what is deeper is refused. CTAP2 allows four, and statements with certificates
/// stay within it.
const DEPTH_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn items_are_read() {
        let number = |bytes: &[u8]| Reader::new(bytes).number();
        assert_eq!(number(&[0x00]), Some(0));
        assert_eq!(number(&[0x18, 0x64]), Some(100));
        assert_eq!(number(&[0x19, 0x03, 0xe8]), Some(1000));
        assert_eq!(number(&[0x1a, 0x00, 0x0f, 0x42, 0x40]), Some(1_000_000));
        assert_eq!(number(&[0x20]), Some(-1));
        assert_eq!(number(&[0x39, 0x03, 0xe7]), Some(-1000));
        assert_eq!(number(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(Reader::new(&[0x44, 1, 2, 3, 4]).bytes(), Some(&[1, 2, 3, 4][..]));
        assert_eq!(Reader::new(&[0x64, b'I', b'E', b'T', b'F']).text(), Some("IETF"));
        assert_eq!(Reader::new(&[0x62, 0xc3]).text(), None);
        assert_eq!(Reader::new(&[0xa2, 1, 2, 3, 4]).map(), Some(2));
    }

    #[test]
    fn one_item_is_passed_over_and_no_more() {
        // {"a": [1, h'02', {3: true}], 1.5 under tag 1}, and a byte behind it.
        let bytes = [0xa2, 0x61, b'a', 0x83, 1, 0x41, 2, 0xa1, 3, 0xf5, 4, 0xc1, 0xf9, 0x3e, 0x00, 0xff];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.skip(), Some(()));
        assert_eq!(reader.rest(), [0xff]);
    }

    #[test]
    fn depth_and_lies_about_length_end() {
        assert_eq!(Reader::new(&[0x81; 100]).skip(), None);
        assert_eq!(Reader::new(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).skip(), None);
        assert_eq!(Reader::new(&[0x5f, 0x41, 1, 0xff]).skip(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.skip().is_some() {}
            let _ = Reader::new(&bytes).key();
            let _ = Reader::new(&bytes).bytes();
        }
    }
}
