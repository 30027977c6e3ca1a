//! Owns: how many alerts of a hookpoint are too many. A cron bug that alerts everybody must wait for an operator; a busy first of
//! the month must not.

/// What the company decided about masses.
#[derive(Clone, Copy, Debug)]
pub struct MassPolicy {
    /// So many within the window are never too many.
    pub min: u32,
    /// Times the busiest hour of the recent past.
    pub factor: u32,
    /// Length of the window, in minutes.
    pub window_min: u32,
}

/// Alerts of a hookpoint that may come within the window: as the company says (`fixed`), else from the recent past.
#[must_use]
pub fn allowed(fixed: Option<u32>, busiest_hour: u32, policy: &MassPolicy) -> u32 {
    let hours = u64::from(policy.window_min).div_ceil(60).max(1);
    let usual = u64::from(busiest_hour) * u64::from(policy.factor) * hours;
    fixed.unwrap_or_else(|| policy.min.max(u32::try_from(usual).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: MassPolicy = MassPolicy { min: 1000, factor: 3, window_min: 60 };

    #[test]
    fn without_a_past_the_least_counts_and_with_one_its_busiest_hour() {
        assert_eq!(allowed(None, 0, &POLICY), 1000);
        assert_eq!(allowed(None, 333, &POLICY), 1000);
        assert_eq!(allowed(None, 334, &POLICY), 1002);
        assert_eq!(allowed(None, u32::MAX, &POLICY), u32::MAX);
    }

    #[test]
    fn the_company_may_say_a_number_and_longer_windows_hold_more() {
        assert_eq!(allowed(Some(7), 5000, &POLICY), 7);
        assert_eq!(allowed(None, 1000, &MassPolicy { window_min: 120, ..POLICY }), 6000);
    }
}
