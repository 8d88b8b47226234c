//! What each plain call does.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{MethodFilter, on};
use axum::{Extension, Router};
use mainstay_contracts::Call;
use mainstay_contracts::registry::{
    Beat, BeatLease, Beaten, Deregister, Deregistered, Drain, Drained, EndLease, Inspect, Inspection, LeaseEnded, List,
    Listing, Look, Overview, Register, Registered, Release, Released, ServiceNames, Services, Undrain, Undrained,
};

use super::asked::Asked;
use super::denied::Denied;
use super::told::Told;
use crate::Rights;
use crate::directory::Directory;
use crate::roster::Refused;

/// A call of the contract that the directory answers.
pub(super) trait Answered: Call {
    fn answer(self, directory: &Directory) -> impl Future<Output = Result<Self::Response, Refused>> + Send;
}

/// Adds a call under the method and the route of its contract.
pub(super) fn route<C: Answered>(router: Router<Arc<Directory>>) -> Router<Arc<Directory>> {
    let method = MethodFilter::try_from(C::METHOD).expect("contracts use standard methods");
    router.route(C::ROUTE, on(method, answer::<C>))
}

async fn answer<C: Answered>(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<C>,
) -> Result<Told<C::Response>, Denied> {
    Ok(Told(call.answer(&directory).await?))
}

impl Answered for Register {
    async fn answer(self, directory: &Directory) -> Result<Registered, Refused> {
        directory.register(self).await
    }
}

impl Answered for Beat {
    async fn answer(self, directory: &Directory) -> Result<Beaten, Refused> {
        directory.beat(&self)
    }
}

impl Answered for Deregister {
    async fn answer(self, directory: &Directory) -> Result<Deregistered, Refused> {
        directory.deregister(self).await
    }
}

impl Answered for BeatLease {
    async fn answer(self, directory: &Directory) -> Result<Beaten, Refused> {
        directory.beat_lease(&self)
    }
}

impl Answered for EndLease {
    async fn answer(self, directory: &Directory) -> Result<LeaseEnded, Refused> {
        directory.end_lease(self).await
    }
}

impl Answered for Drain {
    async fn answer(self, directory: &Directory) -> Result<Drained, Refused> {
        directory.drain(self).await
    }
}

impl Answered for Undrain {
    async fn answer(self, directory: &Directory) -> Result<Undrained, Refused> {
        directory.undrain(self).await
    }
}

impl Answered for Release {
    async fn answer(self, directory: &Directory) -> Result<Released, Refused> {
        directory.release(self).await
    }
}

impl Answered for List {
    async fn answer(self, directory: &Directory) -> Result<Listing, Refused> {
        Ok(directory.views().list(&self.service).listing.clone())
    }
}

/// [`Services`], of which everybody is told those that they may read.
pub(super) async fn services(
    State(directory): State<Arc<Directory>>,
    Extension(rights): Extension<Rights>,
    Asked(Services {}): Asked<Services>,
) -> Told<ServiceNames> {
    let services = directory.views().services().into_iter().filter(|(view, _)| rights.may_read(&view.name));
    let services = services.map(|(view, instances)| (view.name.to_string(), instances)).collect();
    Told(ServiceNames { epoch: directory.views().epoch(), services })
}

impl Answered for Look {
    async fn answer(self, directory: &Directory) -> Result<Overview, Refused> {
        Ok(directory.overview())
    }
}

impl Answered for Inspect {
    async fn answer(self, directory: &Directory) -> Result<Inspection, Refused> {
        Ok(directory.inspect(&self.service, usize::MAX))
    }
}
