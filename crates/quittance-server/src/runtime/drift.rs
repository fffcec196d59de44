//! Reading what is kept of comparisons and repairs: in the database of the books, or in a store of its own beside a data
//! directory, which is opened for a moment.

use super::handle::Handle;
use super::readers::ReadError;
use crate::data::{Data, Place};
use quittance_store::memory::MemoryDatabase;
use quittance_store::store::{Reader, StoreError};
use tokio::sync::Semaphore;

/// Readings of a data directory at once.
const AT_ONCE: usize = 4;

/// What is kept of comparisons, and how many read it now.
pub(super) struct Drift {
    data: std::sync::OnceLock<Data>,
    permits: Semaphore,
}

impl Drift {
    pub(super) const fn new() -> Self {
        Self { data: std::sync::OnceLock::new(), permits: Semaphore::const_new(AT_ONCE) }
    }

    pub(super) fn set_data(&self, data: &Data) {
        // Said once, when the server starts.
        let _ = self.data.set(data.clone());
    }
}

impl Handle {
    /// Where the books lie, and what is kept of comparisons beside them; none where nothing was opened from a place.
    pub(crate) fn data(&self) -> Option<&Data> {
        self.shared.drift.data.get()
    }

    /// Reads what is kept of comparisons and repairs. Where nothing ever was, it is empty.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub(crate) async fn read_drift<T, F>(&self, read: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    {
        let drift = &self.shared.drift;
        let Some(data) = drift.data.get().filter(|data| matches!(data.place(), Place::Directory(_))) else {
            return self.read(read).await;
        };
        let data = data.runs();
        let _permit = drift.permits.acquire().await.map_err(|_| ReadError::GivenUp)?;
        let reading = tokio::task::spawn_blocking(move || match data.open_reader() {
            Err(StoreError::Missing { .. }) => read(&mut MemoryDatabase::new().reader()),
            opened => read(opened?.as_mut()),
        });
        reading.await.map_err(|_| ReadError::GivenUp)?.map_err(ReadError::Store)
    }
}
