//! Who writes this spool: a producer id and an epoch that grows with every start.
//!
//! The identity belongs to the directory, not to the host. A copy of the directory, or a restored backup, carries the same
//! file; so every start moves the epoch by compare-and-set in a register outside (Postgres). Whoever finds the epoch
//! moved by somebody else becomes a new producer. What the old one left is still shipped under its own name, which
//! stands in every segment's head.
//!
//! Steps of [`LockedSpool::claim`]: write the boot id beside the old epoch; ask the register; write the new epoch. A crash
//! between any two is healed by the next claim, because it repeats the pending boot id and the register answers a repeated
//! question as it did before.

use super::fs::{self, OsFs, SpoolFs};
use super::{Opened, SpoolConfig, SpoolError, opening};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tallystick_domain::ProducerId;
use uuid::Uuid;

const FILE: &str = "identity.json";
const LOCK: &str = "lock";

/// A producer in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The spool's id.
    pub producer: ProducerId,
    /// Number of the start, from 1; 0 was never started.
    pub epoch: u32,
}

/// The register's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The epoch is now the expected one plus one.
    Advanced,
    /// The register has another epoch than expected: this spool was copied or restored.
    Mismatch,
}

/// Keeps the current epoch of every producer, outside the spool's disk.
#[async_trait::async_trait]
pub trait EpochRegister: Send + Sync {
    /// Moves `producer` from `expected_epoch` to the next by compare-and-set; a producer that is not registered yet has epoch
    /// 0. Asked again with the same `boot` by which it last advanced from `expected_epoch`, it must answer `Advanced` again.
    async fn advance(
        &self,
        producer: ProducerId,
        expected_epoch: u32,
        boot: Uuid,
    ) -> Result<Advance, Box<dyn std::error::Error + Send + Sync>>;
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    identity: Identity,
    /// When the spool was created, microseconds since 1970.
    created_us: u64,
    /// Set while the register is being asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending_boot: Option<Uuid>,
}

/// A spool directory that this process holds, before its epoch is settled.
pub struct LockedSpool {
    pub(crate) fs: Arc<dyn SpoolFs>,
    pub(crate) dir: PathBuf,
    pub(crate) guard: Box<dyn Send>,
    stored: Stored,
}

impl std::fmt::Debug for LockedSpool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LockedSpool")
            .field("dir", &self.dir)
            .field("identity", &self.stored.identity)
            .finish()
    }
}

impl LockedSpool {
    /// Locks the directory, creating it as producer `fresh` when it is new. [`SpoolError::Locked`] when another process
    /// holds it.
    pub fn lock(dir: &Path, fresh: ProducerId, now_us: u64) -> Result<Self, SpoolError> {
        Self::lock_on(Arc::new(OsFs), dir, fresh, now_us)
    }

    /// As [`lock`](Self::lock), on another file system.
    pub fn lock_on(
        fs: Arc<dyn SpoolFs>,
        dir: &Path,
        fresh: ProducerId,
        now_us: u64,
    ) -> Result<Self, SpoolError> {
        let segments = dir.join(super::SEGMENTS);
        fs.create_dir(&segments).map_err(SpoolError::io("create", &segments))?;
        let path = dir.join(LOCK);
        let guard = fs.lock(&path).map_err(SpoolError::io("lock", &path))?;
        let guard = guard.ok_or_else(|| SpoolError::Locked(dir.to_owned()))?;
        for made in [dir.parent(), Some(dir)].into_iter().flatten().filter(|d| !d.as_os_str().is_empty()) {
            fs.sync_dir(made).map_err(SpoolError::io("sync", made))?;
        }
        let file = dir.join(FILE);
        let stored = match fs::read_small(fs.as_ref(), &file)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|_| SpoolError::corrupt(&file, 0, "not an identity"))?,
            None if opening::has_segments(fs.as_ref(), &segments)? => {
                return Err(SpoolError::corrupt(&file, 0, "missing beside existing segments"));
            }
            None => Stored {
                identity: Identity { producer: fresh, epoch: 0 },
                created_us: now_us,
                pending_boot: None,
            },
        };
        Ok(Self { fs, dir: dir.to_owned(), guard, stored })
    }

    /// What stands on the disk: the producer and the last epoch that it surely had.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.stored.identity
    }

    /// Settles the identity of this start. `boot` is drawn for this start, `fresh` is used if the spool turns out to be a
    /// copy. After an error it may be called again, or the process restarted.
    pub async fn claim(
        &mut self,
        register: &dyn EpochRegister,
        fresh: ProducerId,
        boot: Uuid,
    ) -> Result<Identity, SpoolError> {
        if let Some(claimed) = self.advance(register, boot).await? {
            return Ok(claimed);
        }
        let copied = self.stored.identity;
        tracing::warn!(
            producer.id = %copied.producer, producer.epoch = copied.epoch, producer.new_id = %fresh,
            "spool was copied or restored, it becomes a new producer"
        );
        self.stored.identity = Identity { producer: fresh, epoch: 0 };
        self.stored.pending_boot = None;
        self.advance(register, boot).await?.ok_or(SpoolError::RegisterRefuses)
    }

    async fn advance(
        &mut self,
        register: &dyn EpochRegister,
        boot: Uuid,
    ) -> Result<Option<Identity>, SpoolError> {
        let boot = self.stored.pending_boot.unwrap_or(boot);
        self.stored.pending_boot = Some(boot);
        self.save()?;
        let Identity { producer, epoch } = self.stored.identity;
        match register.advance(producer, epoch, boot).await.map_err(SpoolError::Register)? {
            Advance::Mismatch => Ok(None),
            Advance::Advanced => self.adopt(Identity { producer, epoch: epoch.saturating_add(1) }).map(Some),
        }
    }

    fn adopt(&mut self, identity: Identity) -> Result<Identity, SpoolError> {
        self.stored.identity = identity;
        self.stored.pending_boot = None;
        self.save()?;
        Ok(identity)
    }

    fn save(&self) -> Result<(), SpoolError> {
        let bytes = serde_json::to_vec_pretty(&self.stored).expect("an identity is plain data");
        fs::replace(self.fs.as_ref(), &self.dir, FILE, &bytes)
    }

    /// Recovers what is on disk and starts the writer under `identity`, as settled by [`claim`](Self::claim). Blocking: it
    /// reads the segments that are not shipped yet and may write one segment of zeros.
    pub fn open(mut self, identity: Identity, config: SpoolConfig) -> Result<Opened, SpoolError> {
        config.validate()?;
        if self.stored.identity != identity || self.stored.pending_boot.is_some() {
            self.adopt(identity)?;
        }
        opening::open(self, identity, config)
    }
}
