//! How each key of the agency is used in an ordinary month: how often, when, with which models, how large.

use tallystick_domain::usage::Api;

/// How one key is used.
pub(super) struct Profile {
    /// The key.
    pub(super) key: &'static str,
    /// Calls on an ordinary working day.
    pub(super) calls: u64,
    /// Calls on a day of the weekend, in percent of a working day.
    pub(super) weekend: u64,
    /// Weight of each hour of the day, in the agency's zone.
    pub(super) hours: &'static [u64; 24],
    /// Failed calls of a thousand.
    pub(super) failures: u64,
    /// What the calls are for.
    pub(super) tasks: Tasks,
    /// The models, by weight.
    pub(super) models: &'static [Model],
    /// First day of the month on which it was used.
    pub(super) from_day: i8,
}

/// How calls name their task.
pub(super) enum Tasks {
    /// Not at all.
    None,
    /// Tickets that take some days each: a prefix and the first number.
    Tickets(&'static str, u64),
    /// The same few flows for ever.
    Flows(&'static [&'static str]),
}

/// A model and what a call of it typically uses.
pub(super) struct Model {
    pub(super) provider: &'static str,
    pub(super) api: Api,
    pub(super) name: &'static str,
    pub(super) weight: u64,
    /// Input tokens, of every kind.
    pub(super) input: u64,
    /// Percent of them that came from a cache.
    pub(super) cached: u64,
    /// Percent of them that were written to a cache.
    pub(super) written: u64,
    /// Output tokens, reasoning included.
    pub(super) output: u64,
    /// Percent of them that were reasoning.
    pub(super) reasoning: u64,
}

const OFFICE: [u64; 24] = [0, 0, 0, 0, 0, 0, 0, 1, 4, 9, 10, 9, 5, 6, 9, 10, 9, 6, 3, 1, 1, 0, 0, 0];
const CUSTOMERS: [u64; 24] = [3, 2, 2, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 7, 9, 10, 10, 10, 9, 9, 8, 7, 5, 4];
const NIGHT: [u64; 24] = [0, 2, 10, 6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const fn chat(
    name: &'static str,
    weight: u64,
    input: u64,
    cached: u64,
    output: u64,
    reasoning: u64,
) -> Model {
    Model { provider: "openai", api: Api::Chat, name, weight, input, cached, written: 0, output, reasoning }
}

const fn claude(
    name: &'static str,
    weight: u64,
    input: u64,
    cached: u64,
    written: u64,
    output: u64,
) -> Model {
    Model {
        provider: "anthropic",
        api: Api::Messages,
        name,
        weight,
        input,
        cached,
        written,
        output,
        reasoning: 0,
    }
}

const fn gemini(
    name: &'static str,
    weight: u64,
    input: u64,
    cached: u64,
    output: u64,
    reasoning: u64,
) -> Model {
    Model { provider: "gemini", api: Api::Gemini, name, weight, input, cached, written: 0, output, reasoning }
}

const fn embedding(name: &'static str, weight: u64, input: u64) -> Model {
    let api = Api::Embeddings;
    Model { provider: "openai", api, name, weight, input, cached: 0, written: 0, output: 0, reasoning: 0 }
}

const CODING: &[Model] = &[
    claude("claude-sonnet-4-5", 56, 88_000, 78, 9, 1_900),
    claude("claude-opus-4-5", 18, 74_000, 75, 9, 2_200),
    chat("gpt-5.4", 20, 66_000, 68, 2_400, 45),
    chat("gpt-5-mini", 6, 9_000, 40, 600, 30),
];

const fn coding(key: &'static str, calls: u64, tasks: Tasks, from_day: i8) -> Profile {
    Profile { key, calls, weekend: 3, hours: &OFFICE, failures: 14, tasks, models: CODING, from_day }
}

/// Every key of the agency that was used last month.
pub(super) const PROFILES: [Profile; 12] = [
    coding("cursor-priya", 74, Tasks::Tickets("SHOP", 311), 1),
    coding("cursor-tomasz", 66, Tasks::Tickets("SUP", 148), 1),
    coding("cursor-jonas", 48, Tasks::Tickets("CAT", 57), 1),
    Profile {
        key: "open-webui-team",
        calls: 88,
        weekend: 12,
        hours: &OFFICE,
        failures: 9,
        tasks: Tasks::None,
        models: &[
            chat("gpt-5.4", 45, 7_400, 20, 1_500, 30),
            claude("claude-sonnet-4-5", 35, 8_200, 30, 6, 1_500),
            gemini("gemini-2.5-flash", 20, 3_000, 0, 700, 25),
        ],
        from_day: 1,
    },
    Profile {
        key: "storefront-production",
        calls: 208,
        weekend: 82,
        hours: &CUSTOMERS,
        failures: 16,
        tasks: Tasks::Flows(&["product-advice", "order-status", "returns", "size-finder"]),
        models: &[
            chat("gpt-5.4", 38, 19_500, 42, 1_150, 25),
            claude("claude-sonnet-4-5", 22, 24_000, 45, 5, 1_300),
            chat("gpt-5-mini", 40, 11_500, 38, 900, 30),
        ],
        from_day: 1,
    },
    Profile {
        key: "storefront-staging",
        calls: 44,
        weekend: 8,
        hours: &OFFICE,
        failures: 30,
        tasks: Tasks::Flows(&["product-advice", "order-status", "returns"]),
        models: &[chat("gpt-5.4", 45, 8_500, 30, 700, 25), chat("gpt-5-mini", 55, 6_000, 30, 500, 30)],
        from_day: 1,
    },
    Profile {
        key: "support-production",
        calls: 156,
        weekend: 55,
        hours: &CUSTOMERS,
        failures: 21,
        tasks: Tasks::Flows(&["triage", "draft-reply", "summarise-thread"]),
        models: &[
            claude("claude-sonnet-4-5", 40, 26_000, 48, 6, 1_400),
            claude("claude-haiku-4-5", 30, 14_000, 40, 5, 700),
            chat("gpt-5.4", 30, 17_000, 35, 1_100, 25),
        ],
        from_day: 1,
    },
    Profile {
        key: "support-staging",
        calls: 30,
        weekend: 5,
        hours: &OFFICE,
        failures: 34,
        tasks: Tasks::Flows(&["triage", "draft-reply"]),
        models: &[
            claude("claude-sonnet-4-5", 50, 11_000, 30, 6, 800),
            claude("claude-haiku-4-5", 50, 6_000, 30, 5, 400),
        ],
        from_day: 1,
    },
    Profile {
        key: "studio-assistant",
        calls: 38,
        weekend: 0,
        hours: &OFFICE,
        failures: 8,
        tasks: Tasks::Flows(&["standup-notes", "proposal-draft"]),
        models: &[
            chat("gpt-5.4", 60, 12_000, 20, 1_800, 30),
            gemini("gemini-2.5-pro", 40, 9_000, 0, 1_300, 40),
        ],
        from_day: 1,
    },
    Profile {
        key: "catalog-nightly",
        calls: 64,
        weekend: 100,
        hours: &NIGHT,
        failures: 11,
        tasks: Tasks::Flows(&["embed-catalog", "describe-images"]),
        models: &[
            embedding("text-embedding-3-small", 70, 52_000),
            gemini("gemini-2.5-flash", 30, 21_000, 0, 2_400, 20),
        ],
        from_day: 1,
    },
    Profile {
        key: "ci-evals",
        calls: 42,
        weekend: 0,
        hours: &OFFICE,
        failures: 19,
        tasks: Tasks::Flows(&["nightly-evals"]),
        models: &[chat("gpt-4.1", 35, 4_200, 0, 380, 0), chat("gpt-4.1-mini", 65, 3_600, 0, 350, 0)],
        from_day: 1,
    },
    coding("contractor-leo", 58, Tasks::Tickets("PITCH", 12), 12),
];
