//! The chart of accounts, and which side of each is normal.

use std::fmt;
use std::str::FromStr;

/// An account of a book, in one currency at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What customers owe.
    Receivable,
    /// Money the gateway holds for us until it pays out.
    GatewayClearing(String),
    /// A bank account.
    Bank(String),
    /// Invoiced, not yet earned.
    DeferredRevenue,
    /// Earned.
    Revenue,
    /// Tax collected for the authorities.
    TaxPayable,
    /// Credit the customer bought.
    Prepaid,
    /// Credit we gave.
    PromotionalCredit,
    /// Money given back.
    Refunds,
    /// Money withdrawn by the gateway because of open disputes.
    Disputed(String),
    /// Disputes that were lost.
    DisputeLoss,
    /// What the gateway charges us.
    GatewayFees(String),
    /// Receivables written off.
    BadDebt,
    /// Differences below one minor unit, made visible.
    Rounding,
    /// Gains and losses from exchange rates.
    FxGainLoss,
    /// The customer's money not yet set against anything.
    Unapplied,
    /// Money whose meaning is not known yet.
    Suspense,
}

/// Side of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Left.
    Debit,
    /// Right.
    Credit,
}

/// Longest name of a gateway or bank account inside an account, in bytes.
pub const QUALIFIER_BYTES_MAX: usize = 64;

impl Account {
    /// The side on which the account grows.
    #[must_use]
    pub const fn normal_side(&self) -> Side {
        match self {
            Self::Receivable
            | Self::GatewayClearing(_)
            | Self::Bank(_)
            | Self::Refunds
            | Self::Disputed(_)
            | Self::DisputeLoss
            | Self::GatewayFees(_)
            | Self::BadDebt => Side::Debit,
            Self::DeferredRevenue
            | Self::Revenue
            | Self::TaxPayable
            | Self::Prepaid
            | Self::PromotionalCredit
            | Self::Rounding
            | Self::FxGainLoss
            | Self::Unapplied
            | Self::Suspense => Side::Credit,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::GatewayClearing(_) => "gateway_clearing",
            Self::Bank(_) => "bank",
            Self::DeferredRevenue => "deferred_revenue",
            Self::Revenue => "revenue",
            Self::TaxPayable => "tax_payable",
            Self::Prepaid => "prepaid",
            Self::PromotionalCredit => "promotional_credit",
            Self::Refunds => "refunds",
            Self::Disputed(_) => "disputed",
            Self::DisputeLoss => "dispute_loss",
            Self::GatewayFees(_) => "gateway_fees",
            Self::BadDebt => "bad_debt",
            Self::Rounding => "rounding",
            Self::FxGainLoss => "fx_gain_loss",
            Self::Unapplied => "unapplied",
            Self::Suspense => "suspense",
        }
    }

    fn qualifier(&self) -> Option<&str> {
        match self {
            Self::GatewayClearing(q) | Self::Bank(q) | Self::Disputed(q) | Self::GatewayFees(q) => Some(q),
            _ => None,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.qualifier() {
            Some(qualifier) => write!(f, "{}:{qualifier}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

/// A text that names no account of the chart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no account is called {0:?}")]
pub struct UnknownAccount(pub String);

impl FromStr for Account {
    type Err = UnknownAccount;

    fn from_str(text: &str) -> Result<Self, UnknownAccount> {
        let unknown = || UnknownAccount(text.to_owned());
        if let Some((name, qualifier)) = text.split_once(':') {
            if qualifier.is_empty() || qualifier.len() > QUALIFIER_BYTES_MAX {
                return Err(unknown());
            }
            let qualifier = qualifier.to_owned();
            return match name {
                "gateway_clearing" => Ok(Self::GatewayClearing(qualifier)),
                "bank" => Ok(Self::Bank(qualifier)),
                "disputed" => Ok(Self::Disputed(qualifier)),
                "gateway_fees" => Ok(Self::GatewayFees(qualifier)),
                _ => Err(unknown()),
            };
        }
        Ok(match text {
            "receivable" => Self::Receivable,
            "deferred_revenue" => Self::DeferredRevenue,
            "revenue" => Self::Revenue,
            "tax_payable" => Self::TaxPayable,
            "prepaid" => Self::Prepaid,
            "promotional_credit" => Self::PromotionalCredit,
            "refunds" => Self::Refunds,
            "dispute_loss" => Self::DisputeLoss,
            "bad_debt" => Self::BadDebt,
            "rounding" => Self::Rounding,
            "fx_gain_loss" => Self::FxGainLoss,
            "unapplied" => Self::Unapplied,
            "suspense" => Self::Suspense,
            _ => return Err(unknown()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, side: Side) {
        let account: Account = text.parse().expect("known account");
        assert_eq!(account.to_string(), text);
        assert_eq!(account.normal_side(), side, "{text}");
    }

    #[test]
    fn every_account_has_one_spelling_and_one_normal_side() {
        for debit in ["receivable", "gateway_clearing:stripe", "bank:main", "refunds", "disputed:stripe", "bad_debt"] {
            check(debit, Side::Debit);
        }
        for debit in ["dispute_loss", "gateway_fees:stripe"] {
            check(debit, Side::Debit);
        }
        for credit in ["deferred_revenue", "revenue", "tax_payable", "prepaid", "promotional_credit", "rounding"] {
            check(credit, Side::Credit);
        }
        for credit in ["fx_gain_loss", "unapplied", "suspense"] {
            check(credit, Side::Credit);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "cash", "bank", "bank:", "revenue:stripe", "gateway_clearing"] {
            assert_eq!(text.parse::<Account>(), Err(UnknownAccount(text.to_owned())));
        }
    }
}
