//! Requests for quotes, as the console tells them.

use std::collections::HashSet;

use mainstay::contracts::quotes::{RfqState, RfqView};
use tracing::info;

use crate::book::Entries;
use crate::tape::{TARGET, one_line};

impl Entries for Vec<RfqView> {
    fn is_under_way(&self) -> bool {
        self.iter().any(is_open)
    }

    fn tell(&self, before: &Self) {
        let over: HashSet<&str> = before.iter().filter(|rfq| !is_open(rfq)).map(|rfq| rfq.id.as_str()).collect();
        for rfq in self.iter().rev().filter(|rfq| !is_open(rfq) && !over.contains(rfq.id.as_str())) {
            info!(target: TARGET, "{}", story(rfq));
        }
    }
}

fn is_open(rfq: &RfqView) -> bool {
    rfq.state == RfqState::Open
}

/// `RFQ Frankfurt to Las Vegas closed with 8 of 10, best 12 by UnicornManagementResource3`
fn story(rfq: &RfqView) -> String {
    let RfqView { from, to, answered, asked, .. } = rfq;
    let how = if rfq.state == RfqState::Complete { "complete" } else { "closed" };
    let best = rfq.best.as_ref().map(|best| format!(", best {} by {}", best.quote, best.responder)).unwrap_or_default();
    one_line(&format!("RFQ {from} to {to} {how} with {answered} of {asked}{best}"))
}

#[cfg(test)]
mod tests {
    use mainstay::contracts::quotes::Quoted;

    use super::*;

    #[test]
    fn a_request_that_is_over_is_one_line() {
        let mut rfq = RfqView {
            id: "7".to_owned(),
            from: "Frankfurt".to_owned(),
            to: "Las Vegas".to_owned(),
            customer: "cmr".to_owned(),
            state: RfqState::Closed,
            asked: 10,
            answered: 0,
            closes_in_ms: 0,
            best: None,
            quotes: Vec::new(),
        };
        assert_eq!(story(&rfq), "RFQ Frankfurt to Las Vegas closed with 0 of 10");
        let best = Quoted { responder: "UnicornManagementResource3".to_owned(), quote: 12 };
        rfq = RfqView { state: RfqState::Complete, answered: 10, best: Some(best), ..rfq };
        assert_eq!(
            story(&rfq),
            "RFQ Frankfurt to Las Vegas complete with 10 of 10, best 12 by UnicornManagementResource3"
        );
    }
}
