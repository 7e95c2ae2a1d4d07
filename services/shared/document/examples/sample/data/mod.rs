//! Sample documents: the ordinary ones, and those that strain a page.

mod reports;

use jiff::civil::date;
use rust_decimal::Decimal;
use tallystick_document::DocumentError;
use tallystick_domain::invoice::{
    Adjustment, Draft, Evidence, InvoiceAction, InvoiceDocument, Markup, Party, PaymentTerms, TaxRate,
    UsageItem, compose,
};
use tallystick_domain::period::DayRange;
use tallystick_domain::report::{MonthReport, WeekReport};
use tallystick_domain::usage::{Bucket, PricedLine};
use tallystick_domain::{Currency, PriceVersionId};

/// A document of any kind.
pub(crate) enum Sample {
    Invoice(Box<InvoiceDocument>, Option<Vec<u8>>),
    Month(Box<MonthReport>),
    Week(Box<WeekReport>),
}

impl Sample {
    /// The PDF.
    pub(crate) fn render(&self) -> Result<Vec<u8>, DocumentError> {
        match self {
            Self::Invoice(invoice, logo) => tallystick_document::render_invoice(invoice, logo.as_deref()),
            Self::Month(report) => tallystick_document::render_month(report),
            Self::Week(report) => tallystick_document::render_week(report),
        }
    }
}

/// All samples with their names.
pub(crate) fn samples() -> Vec<(&'static str, Sample)> {
    let invoice = |document, logo| Sample::Invoice(Box::new(document), logo);
    vec![
        ("invoice", invoice(three_lines(), None)),
        ("invoice-logo", invoice(with_logo(), Some(LOGO.to_vec()))),
        ("invoice-empty", invoice(numbered(base(Vec::new()), 1), None)),
        ("invoice-long", invoice(sixty_lines(), None)),
        ("invoice-names", invoice(long_names(), None)),
        ("invoice-yen", invoice(yen(), None)),
        ("invoice-draft", invoice(draft(), None)),
        ("report-month", Sample::Month(Box::new(reports::month()))),
        ("report-week", Sample::Week(Box::new(reports::week()))),
        ("report-quiet", Sample::Week(Box::new(reports::quiet_week()))),
    ]
}

const LOGO: &[u8] = br##"<svg xmlns="http://www.w3.org/2000/svg" width="220" height="60" viewBox="0 0 220 60">
<g fill="#1f5f5b"><rect x="0" y="6" width="10" height="48" rx="2"/><rect x="16" y="6" width="10" height="48" rx="2"/>
<rect x="32" y="6" width="10" height="48" rx="2"/><rect x="48" y="6" width="10" height="48" rx="2"/></g>
<path d="M-4 44 L66 14" stroke="#d9822b" stroke-width="9"/></svg>"##;

fn dec(text: &str) -> Decimal {
    text.parse().expect("the samples write decimals")
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u32) -> T {
    format!("0199c3f2-7a10-7{:03x}-9b4e-{:012x}", number % 4096, u64::from(number) * 7_919_111)
        .parse()
        .expect("the samples write uuids")
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("the samples write currencies")
}

fn issuer() -> Party {
    Party {
        legal_name: "Studio Nordlicht GmbH".to_owned(),
        address: vec!["Lindenstraße 12".to_owned(), "10969 Berlin".to_owned(), "Germany".to_owned()],
        country: Some("DE".to_owned()),
        vat_id: Some("DE 312 445 901".to_owned()),
        registration: Some("HRB 204417 B, Amtsgericht Charlottenburg".to_owned()),
        email: Some("billing@nordlicht.example".to_owned()),
        iban: Some("DE89370400440532013000".to_owned()),
        bic: Some("COBADEFFXXX".to_owned()),
        bank: Some("Commerzbank Berlin".to_owned()),
    }
}

fn buyer() -> Party {
    Party {
        legal_name: "Acme Corporation Ltd".to_owned(),
        address: vec![
            "Attn. Accounts Payable".to_owned(),
            "48 Harbour Road".to_owned(),
            "Dublin 2, Ireland".to_owned(),
        ],
        vat_id: Some("IE 6388047V".to_owned()),
        ..Party::default()
    }
}

/// A priced bucket; `price` is per unit of the bucket.
fn priced(bucket: Bucket, quantity: u64, price: &str, version: u32) -> Evidence {
    let price = dec(price);
    let amount = Decimal::from(quantity) * price / Decimal::from(bucket.unit().per());
    Evidence::priced(
        &PricedLine { bucket, quantity, unit_price: price, amount },
        vec![id::<PriceVersionId>(version)],
    )
}

/// Usage with prices for input, cached input and output.
fn usage(project: &str, provider: &str, model: &str, tokens: [u64; 3], prices: [&str; 3]) -> UsageItem {
    let version = 40 + u32::try_from(model.len()).expect("model names are short");
    let evidence = vec![
        priced(Bucket::InputUncached, tokens[0], prices[0], version),
        priced(Bucket::CacheRead, tokens[1], prices[1], version),
        priced(Bucket::OutputText, tokens[2], prices[2], version),
    ];
    UsageItem {
        project: (!project.is_empty()).then(|| project.to_owned()),
        provider: Some(provider.to_owned()),
        model: model.to_owned(),
        late_period: None,
        requests: tokens[2] / 640 + 1,
        input_tokens: tokens[0] + tokens[1],
        output_tokens: tokens[2],
        cost: evidence.iter().map(|row| row.amount).sum(),
        evidence,
    }
}

fn base(usage: Vec<UsageItem>) -> Draft {
    Draft {
        id: id(1),
        client_id: id(2),
        client: "Acme Corp".to_owned(),
        issuer: issuer(),
        buyer: buyer(),
        period: DayRange { from: date(2026, 10, 1), to: date(2026, 11, 1) },
        zone: "Europe/Berlin".to_owned(),
        issue_date: date(2026, 11, 2),
        terms: PaymentTerms::default(),
        purchase_order: None,
        currency: currency("EUR"),
        cost_currency: currency("EUR"),
        exchange_rate: None,
        markup: Markup { percent: dec("20"), shown: false },
        discount_percent: None,
        minimum: None,
        tax_rate: Some(TaxRate { label: "VAT".to_owned(), percent: dec("19") }),
        usage,
        adjustments: Vec::new(),
        notes: None,
        watermark: Some("2026-11-01T23:04:00Z".parse().expect("the samples write times")),
        unrated_requests: 0,
    }
}

fn numbered(draft: Draft, sequence: u32) -> InvoiceDocument {
    let issued = draft.issue_date;
    compose(draft)
        .and_then(|invoice| invoice.finalize(format!("INV-2026-{sequence:04}"), issued))
        .expect("the samples are sound")
}

fn three() -> Vec<UsageItem> {
    vec![
        usage(
            "Website relaunch",
            "openai",
            "gpt-5.1",
            [48_211_904, 21_400_320, 6_318_221],
            ["1.25", "0.125", "10"],
        ),
        usage(
            "Website relaunch",
            "openai",
            "gpt-5.1-mini",
            [12_004_418, 904_192, 2_871_006],
            ["0.25", "0.025", "2"],
        ),
        usage(
            "Support bot",
            "anthropic",
            "claude-sonnet-4-5",
            [31_877_015, 88_120_442, 4_402_919],
            ["3", "0.3", "15"],
        ),
    ]
}

fn three_lines() -> InvoiceDocument {
    let mut input = base(three());
    input.notes = Some("Thank you for working with us.".to_owned());
    input.purchase_order = Some("PO-77120".to_owned());
    numbered(input, 42)
}

fn with_logo() -> InvoiceDocument {
    let mut input = base(three());
    input.markup.shown = true;
    input.discount_percent = Some(dec("5"));
    input.minimum = Some(dec("900"));
    input.adjustments = vec![Adjustment {
        description: "Goodwill for the outage on 14 October".to_owned(),
        amount: dec("-25"),
    }];
    let mut late =
        usage("Website relaunch", "openai", "gpt-5.1", [401_220, 0, 88_310], ["1.25", "0.125", "10"]);
    late.late_period = Some(DayRange { from: date(2026, 9, 1), to: date(2026, 10, 1) });
    input.usage.push(late);
    input.usage.push(usage("", "openai", "text-embedding-3-large", [9_120_004, 0, 0], ["0.13", "0", "0"]));
    input.unrated_requests = 12;
    numbered(input, 43).advance(InvoiceAction::MarkPaid).expect("a finalised invoice can be paid")
}

fn sixty_lines() -> InvoiceDocument {
    let models = [
        "gpt-5.1",
        "gpt-5.1-mini",
        "claude-sonnet-4-5",
        "claude-haiku-4-5",
        "gemini-2.5-pro",
        "mistral-large-3",
    ];
    let mut lines = Vec::new();
    for project in 1..=10_u64 {
        for (index, model) in (1_u64..).zip(models) {
            let tokens = [project * 913_377 * index, project * 77_120, 410_003 * index];
            lines.push(usage(
                &format!("Workstream {project:02}"),
                "openai",
                model,
                tokens,
                ["1.25", "0.125", "9.75"],
            ));
        }
    }
    numbered(base(lines), 44)
}

fn long_names() -> InvoiceDocument {
    let project =
        "Konzeption, Übersetzung und Qualitätssicherung der mehrsprachigen Produktdokumentation 2026/2027";
    let mut input = base(vec![
        usage(
            project,
            "amazon-bedrock",
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            [9_001, 0, 77],
            ["3", "0.3", "15"],
        ),
        usage(
            "#let x = 1 *bold* _it_ $x$ @ref \\ <tag>",
            "self",
            "// `raw` ~ [x] --- \"q\"",
            [5_000, 1, 12],
            ["1", "1", "1"],
        ),
        usage(
            "a-project-without-any-space-in-its-name_and_even_longer_than_that",
            "openai",
            "gpt",
            [1, 2, 3],
            ["1", "1", "1"],
        ),
    ]);
    input.client = "漢字株式会社".to_owned();
    input.buyer = Party {
        legal_name:
            "Internationale Gesellschaft für angewandte Sprachtechnologie und Datenverarbeitung mbH & Co. KG"
                .to_owned(),
        address: vec![
            "Θεσσαλονίκη 54623, Ελλάδα, Москва, Łódź, 東京".to_owned(),
            "Donaudampfschifffahrtsgesellschaftskapitänsmützenstraße-Hinterhaus 1234567890".to_owned(),
        ],
        email: Some("a.very.long.mail.address.for.invoices@subdomain.department.company.example".to_owned()),
        ..Party::default()
    };
    numbered(input, 45)
}

fn yen() -> InvoiceDocument {
    let mut input = base(three());
    input.currency = currency("JPY");
    input.cost_currency = input.currency;
    input.tax_rate = Some(TaxRate { label: "Consumption tax".to_owned(), percent: dec("10") });
    for item in &mut input.usage {
        item.cost *= dec("150");
        for row in &mut item.evidence {
            row.unit_price = row.unit_price.map(|price| price * dec("150"));
            row.amount *= dec("150");
        }
    }
    numbered(input, 46)
}

fn draft() -> InvoiceDocument {
    let mut input = base(three());
    input.issuer = Party { legal_name: "default".to_owned(), ..Party::default() };
    input.buyer = Party::default();
    input.tax_rate = None;
    compose(input).expect("the samples are sound")
}
