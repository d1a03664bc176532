//! The parameters of a request to Entra: a query or a form.

/// Names with values, as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query or a form (`application/x-www-form-urlencoded`).
    pub fn read(text: &[u8]) -> Result<Self, ParamsFault> {
        if text.len() > OCTETS_MAX {
            return Err(ParamsFault::TooLong);
        }
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            if found.len() == PARAMS_MAX {
                return Err(ParamsFault::TooMany);
            }
            if found.iter().any(|(known, _)| *known == name) {
                return Err(ParamsFault::Twice);
            }
            found.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(found))
    }

    /// A value; one that is empty is as none (RFC 6749 section 3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The words of a value.
    pub fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).unwrap_or_default().split_whitespace()
    }
}

/// Why parameters cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamsFault {
    /// More octets than any request needs.
    TooLong,
    /// More parameters than any request needs.
    TooMany,
    /// A name is there twice (RFC 6749 section 3.1 forbids it).
    Twice,
}

/// Adds parameters to an address that may have some already.
pub fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{}", encoded(pairs))
}

/// Pairs as in a query.
pub fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Longer queries and forms are refused.
const OCTETS_MAX: usize = 128 * 1024;
/// More parameters are refused.
const PARAMS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn empty_values_are_as_none_and_names_come_once() {
        let params = Params::read(b"scope=openid+profile&state=&nonce=a%20b").unwrap();
        assert_eq!(params.words("scope").collect::<Vec<_>>(), ["openid", "profile"]);
        assert_eq!((params.get("state"), params.get("nonce")), (None, Some("a b")));
        assert_eq!(Params::read(b"state=1&state=2"), Err(ParamsFault::Twice));
    }

    #[test]
    fn there_are_limits() {
        assert_eq!(Params::read(&vec![b'a'; OCTETS_MAX + 1]), Err(ParamsFault::TooLong));
        let many: String = (0..=PARAMS_MAX).map(|n| format!("p{n}=1&")).collect();
        assert_eq!(Params::read(many.as_bytes()), Err(ParamsFault::TooMany));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(values in proptest::collection::btree_map("[a-z_]{1,8}", ".{1,20}", 0..8)) {
            let pairs: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let params = Params::read(encoded(&pairs).as_bytes()).unwrap();
            for (name, value) in &values {
                prop_assert_eq!(params.get(name), Some(value.as_str()));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(params) = Params::read(&bytes) {
                prop_assert!(params.0.len() <= PARAMS_MAX);
            }
        }
    }
}
