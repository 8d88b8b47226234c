//! Tasks and their history over HTTP; the module above says what is answered.

use std::time::SystemTime;

use axum::Router;
use axum::http::StatusCode;
use mainstay::Call as _;
use mainstay::contracts::tasks::{GetTask, ListTasks, MOST_TASKS, TaskView};
use mainstay::serve::{self, Refused};
use mainstay_records::{Error, Records};

use super::book::KIND;
use super::view::view;
use crate::clock::from_ms;
use crate::instance;

/// How many tasks are listed, unless it is said.
const MOST: u32 = 50;
/// Bytes of the requests and results in a list, well within what clients read of an answer.
const LIST_BYTES: usize = 4 * 1024 * 1024;

pub(super) fn router(records: &Records) -> Router {
    let (one, list) = (records.clone(), records.clone());
    instance::router()
        .route(GetTask::ROUTE, serve::call(move |call| get_task(one.clone(), call)))
        .route(ListTasks::ROUTE, serve::call(move |call| list_tasks(list.clone(), call)))
}

async fn get_task(records: Records, GetTask { id }: GetTask) -> Result<TaskView, Refused> {
    let record = records.get(&id).await.map_err(|error| away(&error))?.filter(|record| record.kind == KIND);
    let record = record.ok_or_else(|| Refused::not_found(format!("no task {id}")))?;
    view(&record, SystemTime::now()).map_err(|error| away(&error))
}

async fn list_tasks(records: Records, ListTasks { until, most }: ListTasks) -> Result<Vec<TaskView>, Refused> {
    let most = most.unwrap_or(MOST);
    if !(1..=MOST_TASKS).contains(&most) {
        return Err(Refused::bad_request(format!("most is {most}, not 1 to {MOST_TASKS}")));
    }
    // Later than any clock is as good as now.
    let at = until.and_then(from_ms).unwrap_or_else(SystemTime::now);
    let records = records.history(KIND, at, most as usize).await.map_err(|error| away(&error))?;
    let views = records.iter().map(|record| view(record, at)).collect::<Result<Vec<_>, _>>();
    let mut bytes = 0;
    let fits = |view: &TaskView| {
        bytes += view.request.get().len() + view.result.as_ref().map_or(0, String::len);
        bytes <= LIST_BYTES
    };
    Ok(views.map_err(|error| away(&error))?.into_iter().take_while(fits).collect())
}

fn away(error: &Error) -> Refused {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, format!("records cannot be read: {error}"))
}
