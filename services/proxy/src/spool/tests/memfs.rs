//! A file system in memory that forgets at a power loss what was not synced, and fails on demand.
//!
//! At a crash every 64-byte piece that was written but not synced survives or not by a coin toss, sizes likewise; names
//! that were not synced survive up to a random point of their order.

use crate::spool::{SegmentFile, SpoolFs};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

const PIECE: usize = 64;

#[derive(Clone, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Pieces that the next sync will write. A failed sync forgets them, as Linux does.
    dirty: BTreeSet<usize>,
}

impl Inode {
    fn clean(bytes: Vec<u8>) -> Self {
        Self { now: bytes.clone(), durable: bytes, dirty: BTreeSet::new() }
    }

    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        self.now.resize(self.now.len().max(end), 0);
        self.now[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / PIECE..end.div_ceil(PIECE));
    }

    /// Brings to the disk those dirty pieces that `chosen` says.
    fn bring(&mut self, mut chosen: impl FnMut() -> bool) {
        for piece in std::mem::take(&mut self.dirty) {
            let range = piece * PIECE..((piece + 1) * PIECE).min(self.now.len()).min(self.durable.len());
            if chosen() && !range.is_empty() {
                self.durable[range.clone()].copy_from_slice(&self.now[range]);
            }
        }
    }
}

#[derive(Clone)]
enum NameOp {
    Put(PathBuf, u64),
    Remove(PathBuf),
}

struct Disk {
    inodes: BTreeMap<u64, Inode>,
    next: u64,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    pending: Vec<NameOp>,
    locked: BTreeSet<PathBuf>,
    free: u64,
    /// Syncs of segments wait while this is set.
    hold: bool,
    /// How many syncs are waiting.
    waiting: usize,
    fail_sync: bool,
    /// Faults that were injected so far.
    fired: usize,
    dead: bool,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct MemFs {
    disk: Arc<(Mutex<Disk>, Condvar)>,
}

/// What survives of what was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Survives {
    Nothing,
    /// Pieces chosen by this seed.
    Some(u64),
}

impl Survives {
    fn coin(&mut self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Some(seed) => {
                *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                (mixed >> 40) & 1 == 1
            }
        }
    }
}

fn off() -> io::Error {
    io::Error::other("power is off")
}

impl MemFs {
    pub(crate) fn new() -> Self {
        Self::with(BTreeMap::new(), BTreeMap::new())
    }

    fn with(inodes: BTreeMap<u64, Inode>, names: BTreeMap<PathBuf, u64>) -> Self {
        let next = inodes.last_key_value().map_or(1, |(inode, _)| inode + 1);
        let disk = Disk {
            inodes,
            next,
            durable_names: names.clone(),
            names,
            pending: Vec::new(),
            locked: BTreeSet::new(),
            free: 1 << 40,
            hold: false,
            waiting: 0,
            fail_sync: false,
            fired: 0,
            dead: false,
        };
        Self { disk: Arc::new((Mutex::new(disk), Condvar::new())) }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.0.lock().unwrap()
    }

    fn alive(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.disk();
        if disk.dead { Err(off()) } else { Ok(disk) }
    }

    /// Cuts the power: every later call on this file system fails, and what survived is a new one.
    pub(crate) fn crash(&self, mut survives: Survives) -> Self {
        let mut disk = self.disk();
        disk.dead = true;
        self.disk.1.notify_all();
        let mut names = disk.durable_names.clone();
        for op in &disk.pending {
            if !survives.coin() {
                break;
            }
            apply(&mut names, op);
        }
        let mut inodes = BTreeMap::new();
        for inode in names.values() {
            let mut kept = disk.inodes[inode].clone();
            let size = if survives.coin() { kept.now.len() } else { kept.durable.len() };
            kept.durable.resize(size, 0);
            kept.bring(|| survives.coin());
            inodes.insert(*inode, Inode::clean(kept.durable));
        }
        Self::with(inodes, names)
    }

    /// Kills the process that uses this file system: what it wrote is still in memory, unsynced.
    pub(crate) fn kill(&self) -> Self {
        let mut disk = self.disk();
        disk.dead = true;
        self.disk.1.notify_all();
        let killed = Self::with(disk.inodes.clone(), disk.durable_names.clone());
        let mut fresh = killed.disk();
        fresh.names = disk.names.clone();
        fresh.pending = disk.pending.clone();
        fresh.next = disk.next;
        drop(fresh);
        killed
    }

    /// A copy of the disk as it is now, as `cp -r` makes it.
    pub(crate) fn copy(&self) -> Self {
        let disk = self.disk();
        let inodes = disk.inodes.iter().map(|(number, inode)| (*number, Inode::clean(inode.now.clone())));
        Self::with(inodes.collect(), disk.names.clone())
    }

    /// Changes the bytes of a file behind the spool's back.
    pub(crate) fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let inode = disk.names[path];
        let inode = disk.inodes.get_mut(&inode).unwrap();
        change(&mut inode.now);
        *inode = Inode::clean(std::mem::take(&mut inode.now));
    }

    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        let disk = self.disk();
        disk.inodes[&disk.names[path]].now.clone()
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.disk().names.keys().cloned().collect()
    }

    pub(crate) fn set_free(&self, bytes: u64) {
        self.disk().free = bytes;
    }

    pub(crate) fn fail_next_segment_sync(&self) {
        self.disk().fail_sync = true;
    }

    pub(crate) fn faults_fired(&self) -> usize {
        self.disk().fired
    }

    pub(crate) fn hold_syncs(&self, hold: bool) {
        self.disk().hold = hold;
        self.disk.1.notify_all();
    }

    /// Returns once a sync is held.
    pub(crate) fn await_held_sync(&self) {
        let disk = self.disk();
        drop(self.disk.1.wait_while(disk, |disk| disk.waiting == 0).unwrap());
    }
}

fn apply(names: &mut BTreeMap<PathBuf, u64>, op: &NameOp) {
    match op {
        NameOp::Put(path, inode) => {
            names.retain(|_, held| held != inode);
            names.insert(path.clone(), *inode);
        }
        NameOp::Remove(path) => {
            names.remove(path);
        }
    }
}

impl Disk {
    fn name(&mut self, op: NameOp) {
        apply(&mut self.names, &op);
        self.pending.push(op);
    }

    fn inode(&self, path: &Path) -> io::Result<u64> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Lock(MemFs, PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.disk().locked.remove(&self.1);
    }
}

impl SpoolFs for MemFs {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.alive().map(drop)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Send>>> {
        let fresh = self.alive()?.locked.insert(path.to_owned());
        Ok(fresh.then(|| Box::new(Lock(self.clone(), path.to_owned())) as Box<dyn Send>))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let mut disk = self.alive()?;
        let inode = disk.next;
        disk.next += 1;
        disk.inodes.insert(inode, Inode::default());
        disk.name(NameOp::Put(path.to_owned(), inode));
        Ok(Box::new(MemFile { fs: self.clone(), inode, path: path.to_owned() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let inode = self.alive()?.inode(path)?;
        Ok(Box::new(MemFile { fs: self.clone(), inode, path: path.to_owned() }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let disk = self.alive()?;
        let inside = disk.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.alive()?;
        let inode = disk.inode(from)?;
        disk.name(NameOp::Put(to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.alive()?;
        let inode = disk.inode(path)?;
        disk.free += disk.inodes[&inode].now.len() as u64;
        disk.name(NameOp::Remove(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.alive()?;
        let Disk { pending, durable_names, .. } = &mut *disk;
        pending.retain(|op| {
            let (NameOp::Put(path, _) | NameOp::Remove(path)) = op;
            let here = path.parent() == Some(dir);
            if here {
                apply(durable_names, op);
            }
            !here
        });
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.alive()?.free)
    }
}

struct MemFile {
    fs: MemFs,
    inode: u64,
    path: PathBuf,
}

impl SegmentFile for MemFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.fs.alive()?.inodes[&self.inode].now.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.fs.alive()?;
        let rest = disk.inodes[&self.inode].now.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = self.fs.alive()?;
        let end = offset as usize + bytes.len();
        let growth = end.saturating_sub(disk.inodes[&self.inode].now.len()) as u64;
        if growth > disk.free {
            disk.fired += 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.free -= growth;
        disk.inodes.get_mut(&self.inode).unwrap().write(bytes, offset as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.fs.alive()?;
        if self.path.extension().is_some_and(|e| e == "seg") || self.path.ends_with("spare") {
            disk.waiting += 1;
            self.fs.disk.1.notify_all();
            disk = self.fs.disk.1.wait_while(disk, |disk| disk.hold && !disk.dead).unwrap();
            disk.waiting -= 1;
            if disk.dead {
                return Err(off());
            }
            if std::mem::take(&mut disk.fail_sync) {
                disk.fired += 1;
                disk.inodes.get_mut(&self.inode).unwrap().dirty.clear();
                return Err(io::Error::from_raw_os_error(libc::EIO));
            }
        }
        let inode = disk.inodes.get_mut(&self.inode).unwrap();
        inode.durable.resize(inode.now.len(), 0);
        inode.bring(|| true);
        Ok(())
    }

    fn set_size(&self, bytes: u64) -> io::Result<()> {
        let mut disk = self.fs.alive()?;
        let inode = self.inode;
        disk.inodes.get_mut(&inode).unwrap().now.resize(bytes as usize, 0);
        Ok(())
    }
}
