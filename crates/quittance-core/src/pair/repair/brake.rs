//! The brake: a run that would repair too much stops before its first write, so that one wrong mapping cannot rewrite a
//! database.

/// How much one run may repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brake {
    /// Most repairs.
    pub repairs_max: u64,
    /// Most of the records compared, in millionths.
    pub share_max_ppm: u64,
}

impl Default for Brake {
    /// 100 repairs, and a record in twenty.
    fn default() -> Self {
        Self { repairs_max: 100, share_max_ppm: 50_000 }
    }
}

/// Which limit a run is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// [`Brake::repairs_max`].
    Repairs,
    /// [`Brake::share_max_ppm`].
    Share,
}

impl Brake {
    /// Whether a run of so many repairs stops, where so many records were compared.
    ///
    /// ```
    /// use quittance_core::pair::repair::{Brake, Stopped};
    /// let brake = Brake { repairs_max: 100, share_max_ppm: 50_000 };
    /// assert_eq!(brake.stops(100, 2_000), None);
    /// assert_eq!(brake.stops(101, 10_000), Some(Stopped::Repairs));
    /// assert_eq!(brake.stops(6, 100), Some(Stopped::Share));
    /// ```
    #[must_use]
    pub fn stops(self, repairs: u64, compared: u64) -> Option<Stopped> {
        if repairs > self.repairs_max {
            return Some(Stopped::Repairs);
        }
        let is_beyond = u128::from(repairs) * 1_000_000 > u128::from(compared) * u128::from(self.share_max_ppm);
        is_beyond.then_some(Stopped::Share)
    }
}
