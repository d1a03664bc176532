//! Ids of the directory.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// Ids that are GUIDs: compared in lower case.
macro_rules! guids {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id of that text; upper case becomes lower.
            pub fn new(text: &str) -> Self {
                Self(text.to_ascii_lowercase())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same id for the same parts, in every run.
            pub fn derived(parts: &[&str]) -> Self {
                Self(derived_guid(parts))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

guids! {
    /// The client id of an application.
    AppId
    /// The id of a tenant.
    EntraTenantId
    /// The id of a user, group or service principal.
    ObjectId
}

fn derived_guid(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    let hash = context.finish();
    let hex: String = hash.as_ref().iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
