//! The master keys: a small file beside the journal, without which nothing personal in the journal can be read.
//!
//! One line per key: `tandem-key-1 <id> <key>`, both in hexadecimal digits. The last key wraps what is new, all of them
//! open what is old: a key that was lost and is found again is put in front, and everything can be read again. Lines
//! that are empty or begin with `#` are notes.
//!
//! A line that ends with the id of a tenant, `tandem-key-1 <id> <key> contoso`, is that tenant's: what is new of that tenant
//! is wrapped by it and by no other. Without the line nobody reads any of it, in whatever copy of the journal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use crate::seal::{KEY_BYTES, Key, random};
use crate::{Fault, Tenant};

/// Which master key: drawn with it, so that nothing about the key follows from it.
pub(crate) type MasterId = [u8; ID_BYTES];

/// The master keys of an installation; empty only where nothing is written.
pub(crate) struct Masters(Vec<Master>);

/// One master key.
pub(crate) struct Master {
    pub(crate) id: MasterId,
    pub(crate) key: Key,
    /// Whose it is; `None`: of all who have none of their own.
    tenant: Option<Tenant>,
}

impl Masters {
    /// Reads the file, which is made with a new key if it does not exist: readable by its owner alone.
    pub(crate) fn open_or_create(path: &Path) -> Result<Masters, Fault> {
        match Masters::open(path)? {
            Some(masters) => Ok(masters),
            None => create(path),
        }
    }

    /// Reads the file; `None` if it does not exist.
    pub(crate) fn open(path: &Path) -> Result<Option<Masters>, Fault> {
        let unusable = |source| Fault::KeyUnusable { path: path.to_path_buf(), source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unusable(source)),
        };
        let metadata = file.metadata().map_err(unusable)?;
        if !metadata.is_file() {
            return Err(Fault::NotAKey { path: path.to_path_buf() });
        }
        let mode = metadata.mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(Fault::KeyOpenToOthers { path: path.to_path_buf(), mode });
        }
        // Room for all of it at once: nothing is left in memory where a shorter text was.
        let room = usize::try_from(metadata.len()).unwrap_or(FILE_BYTES_MAX).min(FILE_BYTES_MAX);
        let mut text = Zeroizing::new(String::with_capacity(room + 1));
        let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
        match file.take(limit).read_to_string(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(Fault::NotAKey { path: path.to_path_buf() });
            }
            Err(source) => return Err(unusable(source)),
        }
        match parse(&text) {
            Some(masters) => Ok(Some(masters)),
            None => Err(Fault::NotAKey { path: path.to_path_buf() }),
        }
    }

    /// No keys: whatever is sealed counts as gone. Only for reading.
    pub(crate) fn none() -> Masters {
        Masters(Vec::new())
    }

    /// The key that wraps what is new of a tenant, by its id.
    pub(crate) fn current(&self, tenant: &str) -> Option<&Master> {
        let own = |master: &&Master| master.tenant.as_ref().is_some_and(|own| own.as_str() == tenant);
        self.0.iter().rev().find(own).or_else(|| self.general())
    }

    /// The keys that may wrap something new: the last one of all, and those of tenants.
    pub(crate) fn in_use(&self) -> impl Iterator<Item = &Master> {
        self.0.iter().filter(|master| master.tenant.is_some()).chain(self.general())
    }

    fn general(&self) -> Option<&Master> {
        self.0.iter().rev().find(|master| master.tenant.is_none())
    }

    pub(crate) fn find(&self, id: &[u8]) -> Option<&Master> {
        self.0.iter().rev().find(|master| master.id == id)
    }
}

fn create(path: &Path) -> Result<Masters, Fault> {
    let unusable = |source| Fault::KeyUnusable { path: path.to_path_buf(), source };
    let mut id = MasterId::default();
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    random(&mut id).and_then(|()| random(&mut *key)).map_err(unusable)?;
    let mut line = Zeroizing::new(String::with_capacity(NEW_BYTES_MAX));
    line.push_str(NOTE);
    line.push_str(FORMAT);
    line.push(' ');
    push_hex(&mut line, &id);
    line.push(' ');
    push_hex(&mut line, &*key);
    line.push('\n');
    // Never over a file that is there; and in the disk before anything is sealed under it.
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(unusable)?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(unusable)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unusable)?;
    }
    Ok(Masters(vec![Master { id, key: Key::new(key), tenant: None }]))
}

/// `None` if there is no key for all, or a line that is none.
fn parse(text: &str) -> Option<Masters> {
    let mut masters = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_ascii_whitespace();
        let (Some(FORMAT), Some(id), Some(key), tenant, None) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            return None;
        };
        let tenant = tenant.map(str::parse::<Tenant>).transpose().ok()?;
        let mut master = MasterId::default();
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        parse_hex(id, &mut master)?;
        parse_hex(key, &mut *bytes)?;
        masters.push(Master { id: master, key: Key::new(bytes), tenant });
    }
    masters.iter().any(|master| master.tenant.is_none()).then_some(Masters(masters))
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
    }
}

fn parse_hex(text: &str, bytes: &mut [u8]) -> Option<()> {
    if text.len() != bytes.len() * 2 {
        return None;
    }
    let mut digits = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    for byte in bytes {
        *byte = (digits.next()?? << 4) | digits.next()??;
    }
    Some(())
}

/// The word before a key, with the version of the form.
const FORMAT: &str = "tandem-key-1";

/// What a new file says about itself.
const NOTE: &str =
    "# Opens the personal data in the journal of Tandem. Keep a copy apart from the copies of the journal.\n";

const ID_BYTES: usize = 8;

/// Rights of the group and of everybody: none may be there.
const OTHERS: u32 = 0o077;

/// The file at most, a key for each of ten thousand tenants; the rest is not read, and the line that is cut makes the file
/// none.
const FILE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A new file: a note and a key.
const NEW_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(digit: &str) -> String {
        format!("tandem-key-1 {} {}\n", digit.repeat(16), digit.repeat(64))
    }

    #[test]
    fn the_last_key_wraps_and_all_are_found() {
        let masters = parse(&format!("# a note\n\n{}{}", line("a"), line("b"))).unwrap();
        assert_eq!(masters.current("contoso").unwrap().id, [0xbb; 8]);
        assert!(masters.find(&[0xaa; 8]).is_some() && masters.find(&[0xcc; 8]).is_none());
    }

    #[test]
    fn a_tenant_with_a_key_of_its_own_has_it_for_itself() {
        let own = |digit: &str| format!("{} contoso\n", line(digit).trim_end());
        let masters = parse(&format!("{}{}{}{}", own("a"), line("b"), own("c"), line("d"))).unwrap();
        assert_eq!(masters.current("contoso").unwrap().id, [0xcc; 8], "its last one");
        assert_eq!(masters.current("fabrikam").unwrap().id, [0xdd; 8]);
        assert!(masters.find(&[0xaa; 8]).is_some());
        let used: Vec<u8> = masters.in_use().map(|master| master.id[0]).collect();
        assert_eq!(used, [0xaa, 0xcc, 0xdd]);
        assert!(parse(&own("a")).is_none(), "the others need one");
        assert!(
            parse(&format!("{}{} Contoso", line("a"), line("b").trim_end())).is_none(),
            "no id of a tenant"
        );
    }

    #[test]
    fn what_is_not_a_list_of_keys_is_refused_whole() {
        let cut = line("a").trim_end().chars().take(70).collect::<String>();
        for wrong in
            ["", "# only a note\n", "secret", &line("g"), &cut, &format!("{}x", line("a")), &line("ä")]
        {
            assert!(parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
