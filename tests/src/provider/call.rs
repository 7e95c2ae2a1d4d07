//! One call from admission to its line on the bill.
//!
//! Phases: `open` reads key, body and marks; the endpoint checks its parameters and `meter`s the call;
//! `deliver` plays the answer. The line is booked when the call is dropped, whatever happened, so no
//! path out can forget it.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use super::bill::{BillLine, Buckets, CallEnd};
use super::errors::{ApiError, Dialect};
use super::fault::Fault;
use super::headers::decorate;
use super::marks::Marks;
use super::pico::Pico;
use super::random::{hash, roll};
use super::script::{Dice, DisconnectBilling, Script};
use super::server::Wire;
use super::state::State;
use super::tariff::Tariff;
use super::tokens::Tokens;

/// Largest request body that is read, in bytes.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

pub(crate) struct Call {
    pub(crate) wire: Wire,
    pub(crate) dialect: Dialect,
    pub(crate) body: Value,
    pub(crate) marks: Marks,
    pub(crate) script: Arc<Script>,
    /// Identity of the call's text; what is drawn for it comes from this number.
    pub(crate) text: u64,
    text_bytes: usize,
    started: Instant,
    pub(crate) tab: Tab,
}

impl Call {
    /// Reads a request up to its marks. The error is the finished answer.
    pub(crate) async fn open(
        state: &Arc<State>,
        dialect: Dialect,
        request: Request,
    ) -> Result<Box<Self>, Box<Response>> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let tab = Tab::open(state.clone(), dialect, path);
        state.saw_headers(parts.headers.keys().map(http::HeaderName::as_str));
        let mut call = Box::new(Self {
            wire: parts.extensions.get::<Wire>().cloned().unwrap_or_default(),
            dialect,
            body: Value::Null,
            marks: Marks::default(),
            script: state.script(),
            text: 0,
            text_bytes: 0,
            started: Instant::now(),
            tab,
        });
        let Ok(bytes) = axum::body::to_bytes(body, LARGEST_BODY).await else {
            return Err(Box::new(call.refuse(&ApiError::unreadable_body(dialect))));
        };
        call.read_marks(&parts.headers, &bytes);
        if let Err(error) = call.authenticate(&parts.headers) {
            return Err(Box::new(call.refuse(&error)));
        }
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(body) if body.is_object() => call.body = body,
            _ => return Err(Box::new(call.refuse(&ApiError::unreadable_body(dialect)))),
        }
        call.read_text();
        Ok(call)
    }

    fn read_marks(&mut self, headers: &HeaderMap, bytes: &[u8]) {
        let words = headers.get("x-fake-provider").and_then(|value| value.to_str().ok());
        let weaker = words.and_then(Marks::parse).unwrap_or_default();
        self.marks = Marks::read(&String::from_utf8_lossy(bytes)).over(weaker);
        self.tab.line.nonce.clone_from(&self.marks.nonce);
    }

    fn authenticate(&mut self, headers: &HeaderMap) -> Result<(), ApiError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let given = match self.dialect {
            Dialect::OpenAi => bearer,
            Dialect::Anthropic => text("x-api-key").or(bearer),
        };
        let keys = &self.tab.state.settings.keys;
        let given = given.ok_or_else(|| ApiError::no_key(self.dialect))?;
        let account = keys.iter().position(|key| key == given);
        self.tab.line.account = account;
        account.map(|_| ()).ok_or_else(|| ApiError::wrong_key(self.dialect, given))
    }

    /// Takes the identity of the prompt, which a gateway passes on unchanged, and completes the marks
    /// from the script.
    fn read_text(&mut self) {
        let prompt: String = ["model", "system", "messages", "input"]
            .iter()
            .map(|part| self.body[*part].to_string())
            .collect();
        self.text = hash(prompt.as_bytes());
        self.text_bytes = prompt.len();
        let identity = self.marks.nonce.as_deref().map_or(self.text, |nonce| hash(nonce.as_bytes()));
        let model = self.body["model"].as_str().unwrap_or_default().to_owned();
        let attempt = self.tab.state.attempt(identity);
        let dice = Dice { seed: self.tab.state.settings.seed, call: identity, attempt };
        let scripted = self.script.marks(&model, &self.tab.line.endpoint, dice);
        self.marks = std::mem::take(&mut self.marks).over(scripted);
        if self.marks.times.is_some_and(|times| attempt >= times) {
            self.marks.fault = None;
        }
        let line = &mut self.tab.line;
        line.streamed = self.body["stream"] == Value::Bool(true);
        line.attempt = attempt;
        line.model = model;
        line.fault = self.marks.fault;
        self.tab.charge_unknown = self.script.charges_unknown(dice);
        self.tab.disconnect = self.script.disconnect;
        self.tab.forced = self.marks.bill;
    }

    /// Fixes what the call uses and what it would cost.
    pub(crate) fn meter(&mut self, tariff: &'static Tariff, cap: Option<u64>, default_tier: &str) -> Tokens {
        if self.dialect == Dialect::OpenAi {
            self.marks.cache_write = None;
            self.marks.cache_write_hour = None;
        }
        let mut tokens = Tokens::draw(&self.marks, tariff.model, self.text, self.text_bytes, cap);
        if self.marks.fault == Some(Fault::ZeroUsage) {
            tokens = tokens.zero();
        }
        let line = &mut self.tab.line;
        tariff.served.clone_into(&mut line.served);
        line.tier = self.marks.tier.clone().unwrap_or_else(|| default_tier.to_owned());
        self.tab.metered = Some((tariff, tokens));
        tokens
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.tab.line.provider_request_id
    }

    pub(crate) fn now(&self) -> u64 {
        self.tab.state.now()
    }

    /// Ends the call with an error answer.
    pub(crate) fn refuse(mut self, error: &ApiError) -> Response {
        self.tab.line.status = error.status;
        self.tab.line.end = CallEnd::Refused;
        let mut response = error.response(self.dialect, self.request_id());
        self.decorate(&mut response);
        response
    }

    pub(crate) fn decorate(&self, response: &mut Response) {
        let prompt = self.tab.metered.map_or(0, |(_, tokens)| tokens.prompt);
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        decorate(response.headers_mut(), self.dialect, self.request_id(), prompt, millis);
    }
}

/// An open line. Dropping it books it.
pub(crate) struct Tab {
    pub(crate) state: Arc<State>,
    pub(crate) line: BillLine,
    /// Pieces of the body handed to the connection, and how many there are.
    pub(crate) sent: (usize, usize),
    metered: Option<(&'static Tariff, Tokens)>,
    forced: Option<bool>,
    charge_unknown: bool,
    disconnect: DisconnectBilling,
}

impl Tab {
    fn open(state: Arc<State>, dialect: Dialect, endpoint: String) -> Self {
        let seq = state.begin();
        let id = roll(&[state.settings.seed, seq]);
        let provider_request_id = match dialect {
            Dialect::OpenAi => format!("req_{id:016x}{seq:016x}"),
            Dialect::Anthropic => format!("req_011{id:016x}{seq:06x}"),
        };
        let line = BillLine {
            seq,
            provider_request_id,
            nonce: None,
            attempt: 0,
            account: None,
            endpoint,
            model: String::new(),
            served: String::new(),
            tier: String::new(),
            streamed: false,
            status: 0,
            end: CallEnd::ClientGone,
            fault: None,
            buckets: Buckets::default(),
            billed: false,
            amount: Pico(0),
        };
        let disconnect = DisconnectBilling::default();
        Self { state, line, sent: (0, 0), metered: None, forced: None, charge_unknown: false, disconnect }
    }

    /// What the call is charged for, if it is.
    fn charged(&self) -> Option<(&'static Tariff, Tokens)> {
        let (tariff, tokens) = self.metered?;
        let unanswered = self.line.end == CallEnd::ClientGone && self.line.status == 0;
        let own_rule = match (self.line.end, self.line.fault) {
            (CallEnd::Refused, _) => false,
            (_, Some(fault)) => fault.charged().unwrap_or(self.charge_unknown),
            _ if unanswered => self.charge_unknown,
            _ => true,
        };
        let cut = self.line.end == CallEnd::ClientGone && self.line.fault.is_none() && !unanswered;
        let tokens = if cut && self.disconnect == DisconnectBilling::Sent {
            tokens.sent(self.sent.0, self.sent.1)
        } else {
            tokens
        };
        self.forced.unwrap_or(own_rule).then_some((tariff, tokens))
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let mut line = self.line.clone();
        if let Some((tariff, tokens)) = self.charged() {
            line.billed = true;
            line.buckets = Buckets::from(tokens);
            line.amount = tariff.charge(&line.tier, &line.buckets);
        }
        self.state.book(line);
    }
}
