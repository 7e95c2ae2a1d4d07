//! Making a PDF without holding up anything else: on a blocking thread, a few at a time, within a time limit.

use crate::api::ApiState;
use crate::api::error::ApiResult;
use crate::render::{DocumentRenderer, RenderError};
use http::StatusCode;
use std::time::Duration;
use tallystick_runtime::{Problem, error_chain};

/// After this long a caller who found every place taken tries again.
const RETRY: Duration = Duration::from_secs(2);

/// Runs `job` with the renderer.
///
/// # Errors
/// `501` in a process without a renderer, `503` when it takes too long, `500` when the page cannot be made.
pub(crate) async fn render<F>(api: &ApiState, job: F) -> ApiResult<Vec<u8>>
where
    F: FnOnce(&dyn DocumentRenderer) -> Result<Vec<u8>, RenderError> + Send + 'static,
{
    let Some(renderer) = api.renderer.clone() else {
        let detail = "this process makes no PDFs; ask for csv or json";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "no_renderer", detail).into());
    };
    let busy = || Problem::not_ready("the page takes too long; try again in a moment", RETRY);
    let limit = api.config.render_timeout;
    let place = tokio::time::timeout(limit, std::sync::Arc::clone(&api.renders).acquire_owned()).await;
    let place = place.map_err(|_| busy())?.map_err(|error| Problem::internal(&error))?;
    let task = api.tasks.spawn_blocking("render", move || {
        let _place = place;
        job(renderer.as_ref())
    });
    let made = tokio::time::timeout(limit, task).await.map_err(|_| busy())?;
    let made = made.map_err(|error| Problem::internal(&error))?;
    made.map_err(|error| {
        let problem = Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the page could not be made; see the log",
        );
        problem.with_internal(error_chain(&*error)).into()
    })
}
