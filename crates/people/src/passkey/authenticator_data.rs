//! What an authenticator signs (section 6.1), and what it wraps it in when a passkey is made (section 6.5).

use super::cbor::{Key, Reader};
use super::public_key::PublicKey;
use super::{CredentialId, PasskeyFault, RelyingParty};
use crate::person::Guid;

/// The authenticator data of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuthenticatorData {
    pub(super) sign_count: u32,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
    /// The passkey that was made.
    pub(super) made: Option<Made>,
}

/// A passkey that was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) model: Guid,
    pub(super) id: CredentialId,
    pub(super) key: PublicKey,
}

impl AuthenticatorData {
    /// Reads it, and checks what holds for every answer: it is for us, somebody was there, and the device knows who.
    pub(super) fn read(bytes: &[u8], site: &RelyingParty) -> Result<AuthenticatorData, PasskeyFault> {
        let malformed = PasskeyFault::Malformed { part: "authenticatorData" };
        if bytes.len() > AUTHENTICATOR_DATA_BYTES_MAX {
            return Err(malformed);
        }
        let (id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(malformed.clone())?;
        let (flags, rest) = rest.split_first().ok_or(malformed.clone())?;
        let (sign_count, mut rest) = rest.split_first_chunk::<4>().ok_or(malformed.clone())?;
        if *id_hash != site.id_hash {
            return Err(PasskeyFault::RelyingParty);
        }
        if flags & USER_PRESENT == 0 || flags & USER_VERIFIED == 0 {
            return Err(PasskeyFault::NotVerified);
        }
        let backup_eligible = flags & BACKUP_ELIGIBLE != 0;
        let backed_up = flags & BACKED_UP != 0;
        if backed_up && !backup_eligible {
            return Err(PasskeyFault::Backup);
        }
        let mut made = None;
        if flags & ATTESTED_CREDENTIAL != 0 {
            let (credential, after) = read_made(rest)?;
            made = Some(credential);
            rest = after;
        }
        if flags & EXTENSIONS != 0 {
            let mut reader = Reader::new(rest);
            let is_map = Reader::new(rest).map().is_some();
            reader.skip().filter(|()| is_map).ok_or(malformed.clone())?;
            rest = reader.rest();
        }
        if !rest.is_empty() {
            return Err(malformed);
        }
        let sign_count = u32::from_be_bytes(*sign_count);
        Ok(AuthenticatorData { sign_count, backup_eligible, backed_up, made })
    }
}

fn read_made(bytes: &[u8]) -> Result<(Made, &[u8]), PasskeyFault> {
    let malformed = PasskeyFault::Malformed { part: "attestedCredentialData" };
    let (model, rest) = bytes.split_first_chunk::<16>().ok_or(malformed.clone())?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(malformed.clone())?;
    let (id, rest) =
        rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(malformed.clone())?;
    let id = CredentialId::new(id).ok_or(malformed)?;
    let (key, rest) = PublicKey::read(rest)?;
    Ok((Made { model: Guid::from_bytes(*model), id, key }, rest))
}

/// The authenticator data in an attestation object.
///
/// The statement in it is passed over, whatever its format: we ask for none, browsers may hand on that of an authenticator
/// that vouches for itself only, and it would prove nothing that we ask.
pub(super) fn read_attestation(bytes: &[u8]) -> Result<&[u8], PasskeyFault> {
    let malformed = PasskeyFault::Malformed { part: "attestationObject" };
    if bytes.len() > ATTESTATION_BYTES_MAX {
        return Err(malformed);
    }
    let mut reader = Reader::new(bytes);
    let data = read_attestation_map(&mut reader).ok_or(malformed.clone())?;
    if reader.rest().is_empty() { Ok(data) } else { Err(malformed) }
}

fn read_attestation_map<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let (mut format, mut statement, mut data) = (None, None, None);
    let count = reader.map().filter(|count| *count == ATTESTATION_PARTS)?;
    for _ in 0..count {
        let again = match reader.key()? {
            Key::Text("fmt") => format.replace(reader.text()?).is_some(),
            Key::Text("attStmt") => {
                let pairs = Reader::new(reader.rest()).map()?;
                reader.skip()?;
                statement.replace(pairs).is_some()
            }
            Key::Text("authData") => data.replace(reader.bytes()?).is_some(),
            Key::Text(_) | Key::Number(_) => return None,
        };
        if again {
            return None;
        }
    }
    // With the format `none` there is nothing in the statement (section 8.7).
    if format? == "none" && statement? != 0 {
        return None;
    }
    data
}

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED_CREDENTIAL: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;
/// `fmt`, `attStmt` and `authData`.
const ATTESTATION_PARTS: u64 = 3;
/// Longest authenticator data, in bytes; longer is refused. An RSA key of 8192 bits with the longest id takes 2.2 kB.
const AUTHENTICATOR_DATA_BYTES_MAX: usize = 4096;
/// Longest attestation object, in bytes; longer is refused. Statements with certificates take some 6 kB.
const ATTESTATION_BYTES_MAX: usize = 16_384;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_bring_the_readers_down(mut bytes: Vec<u8>, ours: bool) {
            let site = RelyingParty::new("example.com", "Tandem", ["https://example.com"]).unwrap();
            let _ = read_attestation(&bytes);
            if ours {
                let mut whole = site.id_hash.to_vec();
                whole.push(0xc5);
                whole.append(&mut bytes);
                bytes = whole;
            }
            let _ = AuthenticatorData::read(&bytes, &site);
        }
    }
}
