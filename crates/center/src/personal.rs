//! Personal data of customers.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Something about a customer that can tell who it was: a telephone number, a name. It is known until it is erased.
///
/// What is known serialises as the value itself, what is erased as `null`; `Debug` shows neither. So a value reaches
/// the journal and the screens, and never a log. Where it stands in a fact, [`FactKind::visit_personal`] says what must
/// be sealed and erased. Whoever reads one has to cope with its being gone: facts outlive what they say about people.
///
/// There is no third state for a value that is sealed: the journal seals values apart from their fact, and hands
/// out what it can open and nothing else.
///
/// [`FactKind::visit_personal`]: crate::fact::FactKind::visit_personal
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Personal<T>(Option<T>);

impl<T> Personal<T> {
    /// A value that was erased, or can no longer be read.
    pub const ERASED: Personal<T> = Personal(None);

    /// Marks a value as personal.
    pub fn new(value: T) -> Personal<T> {
        Personal(Some(value))
    }

    /// The value, for those who may see it; `None` if it was erased.
    pub fn reveal(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Forgets the value, which is handed out if it was known.
    pub fn erase(&mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Personal(*)" } else { "Personal(erased)" })
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_unit(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Personal<T>, D::Error> {
        deserializer.deserialize_option(PersonalVisitor(PhantomData))
    }
}

/// Reads a field of the type `Option<Personal<T>>`, in which `null` is a value that was erased and not one that never
/// was. To be named in `#[serde(default, deserialize_with = "...")]` at each such field.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Personal<T>>, D::Error> {
    Personal::deserialize(deserializer).map(Some)
}

struct PersonalVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PersonalVisitor<T> {
    type Value = Personal<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or null if it was erased")
    }

    fn visit_none<E>(self) -> Result<Personal<T>, E> {
        Ok(Personal::ERASED)
    }

    /// What was read before and put aside has `null` as a unit.
    fn visit_unit<E>(self) -> Result<Personal<T>, E> {
        Ok(Personal::ERASED)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Personal<T>, D::Error> {
        T::deserialize(deserializer).map(Personal::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_value_is_written_as_itself_and_an_erased_one_as_null() {
        let json = |value: &Personal<String>| serde_json::to_string(value).unwrap();
        let mut name = Personal::new("Ada".to_owned());
        assert_eq!(json(&name), "\"Ada\"");
        assert_eq!(name.erase().as_deref(), Some("Ada"));
        assert_eq!(json(&name), "null");
        for text in ["\"Ada\"", "null"] {
            let read: Personal<String> = serde_json::from_str(text).unwrap();
            assert_eq!(json(&read), text);
        }
    }

    #[test]
    fn debug_says_whether_it_is_known_and_never_what_it_is() {
        assert_eq!(format!("{:?}", Personal::new("Ada")), "Personal(*)");
        assert_eq!(format!("{:?}", Personal::<&str>::ERASED), "Personal(erased)");
    }

    #[test]
    fn a_value_that_never_was_differs_from_one_that_was_erased() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Holder {
            #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
            target: Option<Personal<String>>,
        }
        for (text, target) in [
            ("{}", None),
            (r#"{"target":null}"#, Some(Personal::ERASED)),
            (r#"{"target":"x"}"#, Some(Personal::new("x".to_owned()))),
        ] {
            let read: Holder = serde_json::from_str(text).unwrap();
            assert_eq!(read, Holder { target });
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }
}
