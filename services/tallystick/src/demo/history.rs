//! Last month, as another gateway would have logged it: one foreign usage event a line, in the form that the public
//! import takes.

use std::io::Write;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tallystick_domain::usage::Api;

use super::profile::{Model, PROFILES, Profile, Tasks};
use super::random::Random;
use crate::error::{Doing as _, Outcome};

/// The system that the events come from.
const SOURCE: &str = "old-gateway";
/// How failed calls ended, by weight.
const FAILURES: [(u16, u64); 4] = [(429, 55), (500, 15), (503, 20), (400, 10)];

/// Writes the month that begins on `first`; gives how many events that were.
pub(super) fn write(first: Date, zone: &TimeZone, seed: u64, into: &mut impl Write) -> Outcome<u64> {
    let mut events: Vec<(Timestamp, Value)> = Vec::new();
    for profile in &PROFILES {
        let mut random = Random::new(seed, profile.key);
        let days = first
            .first_of_month()
            .series(jiff::Span::new().days(1))
            .take_while(|day| day.month() == first.month());
        for day in days.filter(|day| day.day() >= profile.from_day) {
            for _ in 0..calls_on(profile, day, &mut random) {
                events.extend(call(profile, day, zone, &mut random));
            }
        }
    }
    events.sort_by(|(at, event), (other_at, other)| {
        (at, event["id"].as_str()).cmp(&(other_at, other["id"].as_str()))
    });
    for (_, event) in &events {
        writeln!(into, "{event}").doing(|| "writing the history".to_owned())?;
    }
    into.flush().doing(|| "writing the history".to_owned())?;
    Ok(events.len() as u64)
}

/// A working day with its ups and downs; the month's use grows a little.
fn calls_on(profile: &Profile, day: Date, random: &mut Random) -> u64 {
    let rest = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let share = if rest { profile.weekend } else { 100 };
    let mood = random.between(78, 124);
    let growth = 94 + u64::try_from(day.day()).unwrap_or(1) / 2;
    profile.calls * share * mood * growth / 1_000_000
}

fn call(profile: &Profile, day: Date, zone: &TimeZone, random: &mut Random) -> Option<(Timestamp, Value)> {
    let hours: Vec<(i8, u64)> = (0_i8..24).zip(profile.hours.iter().copied()).collect();
    let (hour, _) = *random.weighted(&hours, |(_, weight)| *weight)?;
    let sixty = |random: &mut Random| i8::try_from(random.below(60)).unwrap_or(0);
    let (minute, second) = (sixty(random), sixty(random));
    let millisecond = i32::try_from(random.below(1_000)).unwrap_or(0) * 1_000_000;
    let at = day.at(hour, minute, second, millisecond).to_zoned(zone.clone()).ok()?.timestamp();
    let model = random.weighted(profile.models, |model| model.weight)?;
    let mut event = json!({
        "source": SOURCE,
        "id": format!("{}-{:010x}", profile.key, random.below(1 << 40)),
        "occurred_at": at.to_string(),
        "provider": model.provider,
        "model": model.name,
        "key": profile.key,
        "http_status": 200,
    });
    if let Some(task) = task(&profile.tasks, day, random) {
        event["task"] = task.into();
    }
    if random.chance(profile.failures) {
        fail(&mut event, random);
    } else {
        let (usage, output) = usage(model, random);
        event["api"] = serde_json::to_value(model.api).ok()?;
        event["usage"] = usage;
        event["latency_ms"] = (random.around(650) + output * 9).into();
    }
    Some((at, event))
}

/// A call that the provider refused: it used nothing.
fn fail(event: &mut Value, random: &mut Random) {
    let status = random.weighted(&FAILURES, |(_, weight)| *weight).map_or(500, |(status, _)| *status);
    event["http_status"] = status.into();
    event["outcome"] = "failed".into();
    event["usage"] = json!({});
    event["latency_ms"] = random.around(240).into();
}

fn task(tasks: &Tasks, day: Date, random: &mut Random) -> Option<String> {
    match tasks {
        Tasks::None => None,
        Tasks::Tickets(prefix, first) => {
            // A ticket takes about three days, and two are open at a time; some calls name none.
            let ticket = first + u64::try_from(day.day()).unwrap_or(1) / 3 + random.below(2);
            (!random.chance(120)).then(|| format!("{prefix}-{ticket}"))
        }
        Tasks::Flows(flows) => random.one_of(flows).map(|flow| (*flow).to_owned()),
    }
}

/// The provider's own usage object for one call, and its output tokens.
fn usage(model: &Model, random: &mut Random) -> (Value, u64) {
    let input = random.around(model.input).max(1);
    let output = if model.output == 0 { 0 } else { random.around(model.output).max(1) };
    let part = |percent: u64, of: u64| of * percent / 100;
    let (cached, written) = (part(model.cached, input), part(model.written, input));
    let reasoning = part(model.reasoning, output);
    let usage = match model.api {
        Api::Messages => json!({
            "input_tokens": input - cached - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": cached,
            "output_tokens": output,
        }),
        Api::Gemini => json!({
            "promptTokenCount": input,
            "cachedContentTokenCount": cached,
            "candidatesTokenCount": output - reasoning,
            "thoughtsTokenCount": reasoning,
            "totalTokenCount": input + output,
        }),
        Api::Embeddings => json!({"prompt_tokens": input, "total_tokens": input}),
        _ => json!({
            "prompt_tokens": input,
            "completion_tokens": output,
            "total_tokens": input + output,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }),
    };
    (usage, output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tallystick_domain::usage::{Dialect, normalise};

    fn month(seed: u64) -> Vec<Value> {
        let mut text = Vec::new();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        write(jiff::civil::date(2026, 10, 1), &zone, seed, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_seed_draws_the_same_month_again_and_another_seed_does_not() {
        assert_eq!(month(1), month(1));
        assert_ne!(month(1), month(2));
    }

    #[test]
    fn a_month_is_large_enough_to_be_interesting_and_its_ids_differ() {
        let events = month(1);
        assert!((18_000..30_000).contains(&events.len()), "{}", events.len());
        let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), events.len());
    }

    #[test]
    fn every_usage_object_reads_as_its_providers() {
        for event in month(3).iter().filter(|event| event.get("api").is_some()) {
            let api: Api = serde_json::from_value(event["api"].clone()).unwrap();
            let reading = normalise(Dialect::of(api), event["usage"].to_string().as_bytes());
            assert!(reading.is_ok(), "{event}: {reading:?}");
        }
    }

    #[test]
    fn weekends_are_quiet_in_the_office() {
        let events = month(1);
        let on = |day: &str| {
            let wanted = |event: &&Value| {
                event["key"] == "cursor-priya" && event["occurred_at"].as_str().unwrap().starts_with(day)
            };
            events.iter().filter(wanted).count()
        };
        assert!(on("2026-10-06") > 30, "a Tuesday has {}", on("2026-10-06"));
        assert!(on("2026-10-04") < 10, "a Sunday has {}", on("2026-10-04"));
    }
}
