//! What a person wrote into the own profile: skills. Graph tells it of one person at a time only.

use serde::Deserialize;

use crate::graph::call::{Answer, Call, Caller, Operation};
use crate::graph::directory::short;
use crate::graph::fault::Fault;
use crate::id::ObjectId;

/// Asks for the skills of a person. Twenty such calls fit into one [`batch`](crate::graph::batch).
#[must_use]
pub fn read(person: ObjectId) -> Call {
    let path = format!("/users/{person}?$select=id,skills");
    Call::get(Operation::ReadProfile, Caller::Application, path)
}

/// Reads the answer to [`read`]: skills in the person's own words, at most [`SKILLS_MAX`] of 256 octets.
///
/// # Errors
/// It was not done, or cannot be read.
pub fn skills(answer: &Answer) -> Result<Vec<Box<str>>, Fault> {
    let profile: Profile =
        Fault::read(Operation::ReadProfile, answer, |response| serde_json::from_slice(&response.body).ok())?;
    let skills = profile.skills.unwrap_or_default();
    let named = skills.iter().map(|skill| skill.trim()).filter(|skill| !skill.is_empty());
    Ok(named.take(SKILLS_MAX).map(short).collect())
}

/// Skills of one person that are kept.
pub const SKILLS_MAX: usize = 100;

#[derive(Deserialize)]
struct Profile {
    skills: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::Response;

    fn answer(body: &[u8]) -> Answer {
        Ok(Response { status: 200, headers: Vec::new(), body: body.to_vec() })
    }

    #[test]
    fn skills_are_taken_in_the_persons_own_words() {
        let body = r#"{"@odata.context":"x","id":"y","skills":[" Français ","","COBOL"]}"#;
        assert_eq!(skills(&answer(body.as_bytes())).unwrap(), ["Français".into(), "COBOL".into()]);
        assert_eq!(skills(&answer(br#"{"skills":null}"#)).unwrap(), []);
        assert!(skills(&answer(br#"{"skills":"all"}"#)).is_err());
    }

    #[test]
    fn many_and_long_ones_are_bounded() {
        let body = serde_json::to_vec(&serde_json::json!({"skills": vec!["é".repeat(200); 150]})).unwrap();
        let skills = skills(&answer(&body)).unwrap();
        assert_eq!(skills.len(), SKILLS_MAX);
        assert!(skills.iter().all(|skill| **skill == *"é".repeat(128)));
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(body: Vec<u8>) {
            let _ = skills(&answer(&body));
        }
    }
}
