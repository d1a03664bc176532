//! Keys of programs.

use std::sync::Arc;

use tandem_people::api_key::{ApiKey, KeyId, KeyWish};
use tandem_people::caller::Caller;
use tandem_people::moment::UnixMillis;
use tandem_people::permission::PermissionSet;
use tandem_people::scope::Scope;
use tandem_people::secret::Secret;

use super::Identity;
use super::fault::IdentityFault;

impl Identity {
    /// Makes a key. The secret is told this once.
    ///
    /// # Errors
    ///
    /// The caller may not give these scopes; the wish does not fit; the disk failed.
    pub fn key_create(
        &self,
        caller: &Caller,
        scope: &Scope,
        name: Arc<str>,
        scopes: PermissionSet,
        expires: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<(ApiKey, Secret), IdentityFault> {
        caller.may_delegate(scopes, scope)?;
        let _order = self.order();
        let wish = KeyWish { scope: scope.clone(), name, scopes, expires, by: caller.who().clone() };
        let random = self.random();
        let (id, secret) = self.in_state(|state| state.keys.issue(now, wish, &random))?;
        if let Err(fault) = self.write_changes() {
            // Nobody has it: it is not to be found in a list either.
            self.in_state(|state| {
                state.keys.revoke(now, &id);
                while state.keys.poll_change().is_some() {}
            });
            return Err(fault);
        }
        let key = self.state().keys.key(&id).cloned().ok_or(IdentityFault::Unknown("key"))?;
        Ok((key, secret))
    }

    /// The keys of a scope that were not revoked.
    pub fn keys(&self, scope: &Scope) -> Vec<ApiKey> {
        self.state().keys.of_scope(scope).cloned().collect()
    }

    /// Makes a key worthless, from the next request on.
    ///
    /// # Errors
    ///
    /// There is no such key in the scope; the disk failed. Then it is worthless all the same, and that is written when it can be.
    pub fn key_revoke(&self, scope: &Scope, id: &KeyId, now: UnixMillis) -> Result<(), IdentityFault> {
        let _order = self.order();
        let is_theirs = self.state().keys.key(id).is_some_and(|key| key.scope == *scope);
        if !is_theirs {
            return Err(IdentityFault::Unknown("key"));
        }
        self.in_state(|state| state.keys.revoke(now, id));
        self.write_changes()
    }
}
