//! The first start: a team, an operator's token, and the built-in prices.

use crate::api::auth::TOKEN_PREFIX;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use tallystick_domain::price::PriceVersion;
use tallystick_domain::{Currency, TeamId, TokenId};
use tallystick_runtime::{Clock, Ids};
use tallystick_store::control::{Actor, PriceVersionRow, Role, TeamRow, TokenRow};
use tallystick_store::secrets::Secrets;
use tallystick_store::{Store, StoreError};

/// Random bytes of a token: 256 bits.
const TOKEN_BYTES: usize = 32;

/// What a start found or made.
#[derive(Debug)]
pub struct FirstStart {
    /// The first team.
    pub team: TeamId,
    /// The operator's token, where one was made; it is nowhere else, so write it down now.
    pub admin_token: Option<SecretString>,
    /// Price versions that were not there before.
    pub prices_added: u64,
}

/// A fresh token of the API.
pub(crate) fn fresh_token() -> String {
    let mut random = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
}

/// Makes what every instance has: the team `default`, an operator's token (only while none is live), and `prices` for
/// all teams (only those that are not there yet). Safe at every start and from several processes at once.
///
/// # Errors
/// A database that is away.
pub async fn bootstrap(
    store: &Store,
    secrets: &Secrets,
    clock: &dyn Clock,
    ids: &Ids,
    prices: &[PriceVersion],
) -> Result<FirstStart, StoreError> {
    let by = Actor { name: "first start".to_owned(), at: clock.now() };
    let team = TeamRow {
        id: ids.typed(TeamId::from_uuid),
        slug: "default".to_owned(),
        name: "default".to_owned(),
        zone: "UTC".to_owned(),
        currency: Currency::USD,
        default_key_budgets: Vec::new(),
        created_at: by.at,
    };
    let text = fresh_token();
    let id = ids.typed(TokenId::from_uuid);
    let token = TokenRow {
        team_id: team.id,
        id,
        name: format!("operator {}", by.at.strftime("%Y-%m-%d %H:%M:%S")),
        hmac: secrets.pepper.hmac(&text).to_vec(),
        pepper_version: secrets.pepper.version(),
        role: Role::Owner,
        operator: true,
        created_by: by.name.clone(),
        created_at: by.at,
        expires_at: None,
        revoked_at: None,
    };
    let made = store.control_bootstrap(&by, &team, &token).await?;
    let rows: Vec<PriceVersionRow> = prices.iter().map(|version| row(version, &by)).collect();
    let prices_added = store.price_versions_add(&by, None, ids.uuid(), &rows).await?;
    Ok(FirstStart {
        team: made.team,
        admin_token: made.token_made.then(|| SecretString::from(text)),
        prices_added,
    })
}

fn row(version: &PriceVersion, by: &Actor) -> PriceVersionRow {
    PriceVersionRow {
        id: version.id,
        team_id: None,
        provider: version.provider.clone(),
        model: version.model.clone(),
        effective_from: version.effective_from,
        body: serde_json::to_value(version).expect("a price is plain data"),
        source: version.source.clone(),
        created_at: by.at,
    }
}
