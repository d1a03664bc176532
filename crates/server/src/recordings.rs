//! Recordings: kept as WAV files in a folder of the data folder, played back, handed out and forgotten.
//!
//! The threads that move packets hand over half a second of sound at a time and never wait. One thread of ours writes,
//! reads what is to be played, and tells the door that a recording has ended only when it lies on the disk under its
//! name: from then on it can be played. What was being written when the program was killed is removed at the next
//! start, because no fact speaks of it.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc as std_mpsc;

use tandem_center::call::RecordingId;
use tandem_media::leg::{self, LegEvent, RecordingEnd};
use tandem_media::prompt::Prompt;
use tandem_store::Tenant;
use tokio::sync::mpsc;

/// Where recordings are; clones are the same place.
#[derive(Clone, Debug)]
pub struct Recordings {
    /// The folder of all of them.
    root: Arc<Path>,
    /// The folder of one tenant's.
    folder: Arc<Path>,
    work: std_mpsc::Sender<Work>,
    waiting: Arc<AtomicUsize>,
}

/// What the engine is told.
#[derive(Debug)]
pub enum Told {
    /// A recording has ended, and is kept if it did not fail ([`LegEvent::RecordingEnded`]).
    Ended(LegEvent),
    /// A recording that is to be played; `None`: there is none, or it cannot be read.
    Fetched(RecordingId, Option<Arc<Prompt>>),
}

/// A recording that was opened, a WAV file with samples of 16 bits, 8,000 a second, one channel.
#[derive(Debug)]
pub struct Kept {
    /// The file, at its beginning.
    pub file: File,
    /// Its length in octets, the head of 44 octets included.
    pub octets: u64,
}

/// The folder of the recordings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "the folder {folder} cannot be used for recordings: {source}; correct `data` or the rights of the folder"
)]
pub struct RecordingsFault {
    /// The folder.
    folder: String,
    /// What the system says.
    source: io::Error,
}

/// Recordings that are made at once; one more fails at its beginning. Each brings 16 KB a second.
pub const RECORDINGS_MAX: usize = 500;

impl Recordings {
    /// Opens the folder `recordings` in the data folder, and makes it if it does not exist: only the program's own user
    /// may look into it.
    ///
    /// # Errors
    ///
    /// The folder cannot be made or read, or the system gives no thread.
    pub fn open_folder(data: &Path) -> Result<(Recordings, mpsc::Receiver<Told>), RecordingsFault> {
        let folder = data.join("recordings");
        let fault = |source| RecordingsFault { folder: folder.display().to_string(), source };
        prepare(&folder).map_err(fault)?;
        let (told, telling) = mpsc::channel(TOLD_MAX);
        let (work_in, work) = std_mpsc::channel();
        let folder: Arc<Path> = folder.as_path().into();
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            folder: folder.clone(),
            homes: BTreeMap::new(),
            open: BTreeMap::new(),
            waiting: waiting.clone(),
        };
        std::thread::Builder::new()
            .name("recordings".into())
            .spawn(move || writer.run(&work, &told))
            .map_err(fault)?;
        Ok((Recordings { root: folder.clone(), folder, work: work_in, waiting }, telling))
    }

    /// The same, but only those of a tenant can be opened and forgotten.
    #[must_use]
    pub fn of(&self, tenant: &Tenant) -> Recordings {
        Recordings { folder: home(&self.root, tenant), ..self.clone() }
    }

    /// Removes all recordings of this tenant for ever; of one who is alone, nothing.
    ///
    /// # Errors
    ///
    /// The system refuses to remove them.
    pub fn forget_all(&self) -> io::Result<()> {
        if self.folder == self.root {
            return Ok(());
        }
        match std::fs::remove_dir_all(&self.folder) {
            Ok(()) => sync_folder(&self.root),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Tells whose a recording is that is going to be kept or played. Told nothing, it is taken for that of the tenant
    /// of an installation that has only one.
    pub fn belongs(&self, recording: RecordingId, tenant: &Tenant) {
        self.order(Work::Belongs(recording, home(&self.root, tenant)));
    }

    /// Keeps what a leg's recording brought. Called on the threads that move packets: never waits. Anything that is not
    /// of a recording is left alone.
    pub fn keep(&self, event: LegEvent) {
        let work = match event {
            LegEvent::Recorded { recording, samples } => {
                if self.waiting.fetch_add(1, Ordering::Relaxed) >= PIECES_MAX {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    // The end will tell that there is less than was said, and the recording fails.
                    tracing::warn!(recording = recording.0, "the disk is too slow; a recording is lost");
                    return;
                }
                Work::Piece(RecordingId(recording.0), samples)
            }
            LegEvent::RecordingEnded { .. } => Work::End(event),
            _ => return,
        };
        self.order(work);
    }

    /// Reads a recording, to be played; comes as [`Told::Fetched`], also when there is none.
    pub fn fetch(&self, recording: RecordingId) {
        self.order(Work::Fetch(recording));
    }

    /// Opens a finished recording; `None` if there is none of that name.
    ///
    /// # Errors
    ///
    /// The system refuses to open it.
    pub fn open(&self, recording: RecordingId) -> io::Result<Option<Kept>> {
        let file = match File::open(self.path(recording)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let octets = file.metadata()?.len();
        Ok(Some(Kept { file, octets }))
    }

    /// Removes a finished recording for ever. Answers whether there was one; a recording that is still being made is
    /// none yet.
    ///
    /// # Errors
    ///
    /// The system refuses to remove it.
    pub fn forget(&self, recording: RecordingId) -> io::Result<bool> {
        match std::fs::remove_file(self.path(recording)) {
            Ok(()) => sync_folder(&self.folder).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn path(&self, recording: RecordingId) -> PathBuf {
        self.folder.join(format!("{recording}.wav"))
    }

    fn order(&self, work: Work) {
        // Fails only at the end of the program.
        let _ = self.work.send(work);
    }
}

/// Where the recordings of a tenant are: in a folder of its own, but for a tenant who is alone.
fn home(root: &Arc<Path>, tenant: &Tenant) -> Arc<Path> {
    if *tenant == Tenant::only() { root.clone() } else { root.join(tenant.as_str()).into() }
}

/// What the thread does. Pieces are limited in number; ends and fetches by the calls that wait for them.
enum Work {
    Belongs(RecordingId, Arc<Path>),
    Piece(RecordingId, Box<[i16]>),
    End(LegEvent),
    Fetch(RecordingId),
}

struct Writer {
    folder: Arc<Path>,
    /// Where recordings belong that are being made or are going to be played; forgotten with the end or the playing.
    homes: BTreeMap<RecordingId, Arc<Path>>,
    open: BTreeMap<RecordingId, Unfinished>,
    waiting: Arc<AtomicUsize>,
}

/// A recording that is being written.
enum Unfinished {
    Written {
        file: File,
        samples: u64,
    },
    /// It could not be written.
    Lost,
}

impl Writer {
    fn run(mut self, work: &std_mpsc::Receiver<Work>, told: &mpsc::Sender<Told>) {
        for work in work {
            let tells = match work {
                Work::Belongs(recording, folder) => {
                    if self.homes.len() >= HOMES_MAX {
                        self.homes.pop_first();
                    }
                    self.homes.insert(recording, folder);
                    continue;
                }
                Work::Piece(recording, samples) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    self.write(recording, &samples);
                    continue;
                }
                Work::End(LegEvent::RecordingEnded { leg, recording, end, samples }) => {
                    Told::Ended(self.end(leg, recording, end, samples))
                }
                Work::End(_) => continue,
                Work::Fetch(recording) => Told::Fetched(recording, self.read(recording)),
            };
            // Fails when the engine has ended; what is to be written is written all the same.
            let _ = told.blocking_send(tells);
        }
    }

    fn write(&mut self, recording: RecordingId, samples: &[i16]) {
        let unfinished = match self.open.remove(&recording) {
            Some(unfinished) => unfinished,
            None if self.open.len() >= UNFINISHED_MAX => Unfinished::Lost,
            None => match create(&self.home(recording), recording) {
                Ok(file) => Unfinished::Written { file, samples: 0 },
                Err(error) => lost(recording, &error),
            },
        };
        let unfinished = match unfinished {
            Unfinished::Lost => Unfinished::Lost,
            Unfinished::Written { mut file, samples: before } => match file.write_all(&octets(samples)) {
                Ok(()) => Unfinished::Written { file, samples: before + samples.len() as u64 },
                Err(error) => lost(recording, &error),
            },
        };
        self.open.insert(recording, unfinished);
    }

    fn home(&self, recording: RecordingId) -> Arc<Path> {
        self.homes.get(&recording).unwrap_or(&self.folder).clone()
    }

    fn end(&mut self, leg: leg::LegId, id: leg::RecordingId, end: RecordingEnd, samples: u64) -> LegEvent {
        let recording = RecordingId(id.0);
        let unfinished = self.open.remove(&recording);
        let folder = self.homes.remove(&recording).unwrap_or_else(|| self.folder.clone());
        let finished = match unfinished {
            Some(Unfinished::Written { file, samples: written }) if written >= samples => {
                finish(&folder, recording, file, samples)
            }
            None if samples == 0 => Ok(()),
            _ => Err(io::Error::other("a part of it is missing")),
        };
        let end = match finished {
            Ok(()) => end,
            Err(error) => {
                lost(recording, &error);
                // What is there of it is of no use; it is removed at the next start if it cannot be now.
                let _ = std::fs::remove_file(part(&folder, recording));
                RecordingEnd::Failed
            }
        };
        LegEvent::RecordingEnded { leg, recording: id, end, samples }
    }

    fn read(&self, recording: RecordingId) -> Option<Arc<Prompt>> {
        let path = self.home(recording).join(format!("{recording}.wav"));
        match crate::prompts::load(&path) {
            Ok(prompt) => Some(Arc::new(prompt)),
            Err(fault) => {
                tracing::warn!(%recording, %fault, "a recording cannot be played");
                None
            }
        }
    }
}

/// Makes the folder, sees that nobody else looks into it, and removes what was left unfinished.
fn prepare(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            prepare(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "part") {
            tracing::info!(file = %path.display(), "a recording that was never finished is removed");
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn create(folder: &Path, recording: RecordingId) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = part(folder, recording);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&head(0))?;
    Ok(file)
}

/// Cuts the file to what is to be kept, and gives it its name once all of it is on the disk.
fn finish(folder: &Path, recording: RecordingId, mut file: File, samples: u64) -> io::Result<()> {
    let path = part(folder, recording);
    if samples == 0 {
        return std::fs::remove_file(path);
    }
    file.set_len(HEAD_OCTETS + samples * 2)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&head(samples))?;
    file.sync_all()?;
    std::fs::rename(path, folder.join(format!("{recording}.wav")))?;
    sync_folder(folder)
}

fn part(folder: &Path, recording: RecordingId) -> PathBuf {
    folder.join(format!("{recording}.part"))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn lost(recording: RecordingId, error: &io::Error) -> Unfinished {
    tracing::error!(%recording, %error, "a recording is lost; see that the disk of `data` has room and can be written");
    Unfinished::Lost
}

/// The head of a WAV file: linear samples of 16 bits, one channel, 8,000 a second.
fn head(samples: u64) -> [u8; HEAD_OCTETS as usize] {
    let octets = u32::try_from(samples * 2).unwrap_or(u32::MAX - HEAD_OCTETS as u32);
    let mut head = *b"RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data____";
    let (riff, data) = ((octets + 36).to_le_bytes(), octets.to_le_bytes());
    for (place, octet) in (4..8).chain(40..44).zip(riff.into_iter().chain(data)) {
        if let Some(slot) = head.get_mut(place) {
            *slot = octet;
        }
    }
    head
}

fn octets(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// Octets of a WAV file before its first sample.
const HEAD_OCTETS: u64 = 44;
/// Pieces of half a second that wait to be written, 8 KB each; one more is lost, and its recording with it.
const PIECES_MAX: usize = 4096;
/// What the engine has not heard yet; the thread waits when it is full, and pieces wait for the thread.
const TOLD_MAX: usize = 1024;
/// Recordings that are being written at once. More than are made at once, for those whose end is on its way; one more
/// is lost.
const UNFINISHED_MAX: usize = 2 * RECORDINGS_MAX;
/// Recordings of which it is known whose they are; with one more, the one with the lowest number is forgotten, and is
/// lost if it is still being made. Far more than can be made and played at once.
const HOMES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_media::codec::Law;
    use tandem_media::g711;

    const ID: RecordingId = RecordingId(0xabc);

    struct Desk {
        data: tempfile::TempDir,
        recordings: Recordings,
        told: mpsc::Receiver<Told>,
    }

    impl Desk {
        fn open() -> Desk {
            let data = tempfile::tempdir().unwrap();
            let (recordings, told) = Recordings::open_folder(data.path()).unwrap();
            Desk { data, recordings, told }
        }

        fn says(&self, samples: &[i16]) {
            let recording = leg::RecordingId(ID.0);
            self.recordings.keep(LegEvent::Recorded { recording, samples: samples.into() });
        }

        fn ends(&mut self, samples: u64) -> RecordingEnd {
            let (leg, recording) = (leg::LegId(1), leg::RecordingId(ID.0));
            let end = RecordingEnd::Stopped;
            self.recordings.keep(LegEvent::RecordingEnded { leg, recording, end, samples });
            match self.told.blocking_recv() {
                Some(Told::Ended(LegEvent::RecordingEnded { end, .. })) => end,
                other => panic!("{other:?}"),
            }
        }

        fn fetched(&mut self, recording: RecordingId) -> Option<Arc<Prompt>> {
            self.recordings.fetch(recording);
            match self.told.blocking_recv() {
                Some(Told::Fetched(found, prompt)) if found == recording => prompt,
                other => panic!("{other:?}"),
            }
        }

        fn files(&self) -> usize {
            std::fs::read_dir(self.data.path().join("recordings")).unwrap().count()
        }
    }

    #[test]
    fn what_was_said_is_played_back_and_what_followed_is_cut_off() {
        let mut desk = Desk::open();
        desk.says(&[5000; 4000]);
        desk.says(&[0; 4000]);
        assert_eq!(desk.ends(4800), RecordingEnd::Stopped);
        let prompt = desk.fetched(ID).unwrap();
        let sound = prompt.sound(Law::A);
        assert_eq!(sound.len(), 4800);
        assert!(sound[..4000].iter().all(|byte| *byte == g711::encode(Law::A, 5000)));
        assert!(sound[4000..].iter().all(|byte| *byte == g711::silence(Law::A)));
        let kept = desk.recordings.open(ID).unwrap().unwrap();
        assert_eq!(kept.octets, 44 + 9600);
    }

    #[test]
    fn only_our_own_user_may_look_into_the_folder() {
        let mut desk = Desk::open();
        desk.says(&[1; 10]);
        desk.ends(10);
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = desk.data.path().join("recordings");
        assert_eq!(mode(folder.clone()), 0o700);
        assert_eq!(mode(folder.join(format!("{ID}.wav"))), 0o600);
    }

    #[test]
    fn a_recording_with_a_missing_part_fails_and_leaves_nothing() {
        let mut desk = Desk::open();
        desk.says(&[1; 10]);
        assert_eq!(desk.ends(20), RecordingEnd::Failed);
        assert!(desk.recordings.open(ID).unwrap().is_none());
        assert!(desk.fetched(ID).is_none());
        assert_eq!(desk.files(), 0);
    }

    #[test]
    fn an_empty_recording_leaves_nothing() {
        let mut desk = Desk::open();
        assert_eq!(desk.ends(0), RecordingEnd::Stopped);
        desk.says(&[0; 4000]);
        assert_eq!(desk.ends(0), RecordingEnd::Stopped);
        assert_eq!(desk.files(), 0);
    }

    #[test]
    fn a_forgotten_recording_is_gone() {
        let mut desk = Desk::open();
        desk.says(&[1; 10]);
        desk.ends(10);
        assert!(desk.recordings.forget(ID).unwrap());
        assert!(!desk.recordings.forget(ID).unwrap());
        assert!(desk.recordings.open(ID).unwrap().is_none());
        assert_eq!(desk.files(), 0);
    }

    #[test]
    fn what_a_killed_program_was_writing_is_removed_and_what_it_finished_is_there() {
        let mut desk = Desk::open();
        desk.says(&[1; 10]);
        desk.ends(10);
        let folder = desk.data.path().join("recordings");
        std::fs::write(folder.join("00000000000000ff.part"), b"half").unwrap();
        let (recordings, _told) = Recordings::open_folder(desk.data.path()).unwrap();
        assert!(recordings.open(ID).unwrap().is_some());
        assert_eq!(desk.files(), 1);
    }

    #[test]
    fn each_tenant_has_a_folder_and_opens_nothing_of_another() {
        let mut desk = Desk::open();
        let (contoso, fabrikam) = ("contoso".parse().unwrap(), "fabrikam".parse().unwrap());
        desk.recordings.belongs(ID, &contoso);
        desk.says(&[1; 10]);
        desk.ends(10);
        assert!(desk.recordings.of(&contoso).open(ID).unwrap().is_some());
        assert!(desk.recordings.of(&fabrikam).open(ID).unwrap().is_none());
        assert!(!desk.recordings.of(&fabrikam).forget(ID).unwrap());
        desk.recordings.belongs(ID, &contoso);
        assert!(desk.fetched(ID).is_some());
        desk.recordings.belongs(ID, &fabrikam);
        assert!(desk.fetched(ID).is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named_with_the_remedy() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("recordings"), b"").unwrap();
        let fault = Recordings::open_folder(data.path()).unwrap_err().to_string();
        assert!(fault.contains("recordings") && fault.contains("correct `data`"), "{fault}");
    }
}
