//! What each plain call does.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Json;
use axum::routing::{MethodFilter, on};
use mainstay_contracts::Call;
use mainstay_contracts::registry::{
    Beat, Beaten, Deregister, Deregistered, List, Listing, Register, Registered, ServiceNames, Services,
};

use super::asked::Asked;
use super::denied::Denied;
use crate::directory::Directory;
use crate::roster::Refused;

/// A call of the contract that the directory answers.
pub(super) trait Answered: Call {
    fn answer(self, directory: &Directory) -> Result<Self::Response, Refused>;
}

/// Adds a call under the method and the route of its contract.
pub(super) fn route<C: Answered>(router: Router<Arc<Directory>>) -> Router<Arc<Directory>> {
    let method = MethodFilter::try_from(C::METHOD).expect("contracts use standard methods");
    router.route(C::ROUTE, on(method, answer::<C>))
}

async fn answer<C: Answered>(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<C>,
) -> Result<Json<C::Response>, Denied> {
    Ok(Json(call.answer(&directory)?))
}

impl Answered for Register {
    fn answer(self, directory: &Directory) -> Result<Registered, Refused> {
        directory.register(self)
    }
}

impl Answered for Beat {
    fn answer(self, directory: &Directory) -> Result<Beaten, Refused> {
        directory.beat(&self)
    }
}

impl Answered for Deregister {
    fn answer(self, directory: &Directory) -> Result<Deregistered, Refused> {
        directory.deregister(&self)
    }
}

impl Answered for List {
    fn answer(self, directory: &Directory) -> Result<Listing, Refused> {
        Ok(directory.list(&self.service).listing.clone())
    }
}

impl Answered for Services {
    fn answer(self, directory: &Directory) -> Result<ServiceNames, Refused> {
        Ok(directory.services())
    }
}
