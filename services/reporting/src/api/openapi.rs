//! The OpenAPI document: made from the routes, committed as `schemas/openapi.json`, compared by a test.

use super::router::resources;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What the document says beside the routes.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Tallystick",
        description = "Control plane, usage and invoices. Errors are problem documents (RFC 9457) with a stable `code`. \
                       Money is a decimal string. Lists take `limit` and `cursor`. Every POST honours `Idempotency-Key`. \
                       Objects are named by id, by name, and keys also by their public prefix.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemDocument)),
    security(("token" = [])),
    modifiers(&Bearer),
)]
pub(super) struct ApiDoc;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API token: `Authorization: Bearer ts_api_...`"))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// A failure, as `application/problem+json`.
#[derive(serde::Serialize, utoipa::ToSchema)]
struct ProblemDocument {
    /// `urn:tallystick:problem:` and the code.
    r#type: String,
    title: String,
    status: u16,
    /// What programs switch on; it never changes its meaning.
    code: String,
    /// What is wrong, and what to do.
    detail: String,
}

/// The document as it is served and committed.
#[must_use]
pub fn openapi_json() -> String {
    let (_, document) = resources().split_for_parts();
    let mut json = document.to_pretty_json().expect("the document is made of plain data");
    json.push('\n');
    json
}
