//! The JSON Schema of every event type, generated from the types.

use crate::kind::EventKind;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use tallystick_domain::event::{ProducerHeartbeat, RequestsRefused, UsageAdjusted, UsageRecorded};

/// The schema of an event kind (draft 2020-12), with its CloudEvents type as `$id`.
#[must_use]
pub fn json_schema(kind: EventKind) -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = match kind {
        EventKind::Recorded => generator.into_root_schema_for::<UsageRecorded>(),
        EventKind::Adjusted => generator.into_root_schema_for::<UsageAdjusted>(),
        EventKind::Refused => generator.into_root_schema_for::<RequestsRefused>(),
        EventKind::Heartbeat => generator.into_root_schema_for::<ProducerHeartbeat>(),
    };
    let mut value = schema.to_value();
    if let Some(object) = value.as_object_mut() {
        object.insert("$id".to_owned(), Value::from(format!("urn:{}", kind.type_name().replace('.', ":"))));
    }
    value
}
