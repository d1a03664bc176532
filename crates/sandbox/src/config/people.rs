//! The people of the tenants that are there without a configuration.

use crate::config::app::{CONTOSO, FABRIKAM};
use crate::config::{TenantConfig, UserConfig};
use crate::user::Behaviour;

impl TenantConfig {
    /// The tenant of demo and documentation: eight people who answer after a while, and their colleagues.
    pub fn contoso() -> Self {
        let users = PHONES.iter().zip(0u16..).map(|((id, after_ms, spread_ms), n)| UserConfig {
            number: format!("+1425555{:04}", 101 + n),
            object_id: format!("fa273707-89ea-4085-9903-ddf4ab23{:04x}", 0x6300 + n),
            tone_hz: 440 + 110 * n,
            behaviour: Behaviour::answering(*after_ms, *spread_ms),
            ..person(id, CONTOSO_PEOPLE)
        });
        let accounts = CONTOSO_PEOPLE.iter().skip(PHONES.len()).zip(0u16..).map(|(profile, n)| UserConfig {
            object_id: format!("fa273707-89ea-4085-9903-ddf4ab23{:04x}", 0x6400 + n),
            ..person(profile.id, CONTOSO_PEOPLE)
        });
        Self {
            name: "Contoso".to_owned(),
            id: CONTOSO.to_owned(),
            domains: vec!["contoso.example".to_owned()],
            users: users.collect(),
            accounts: accounts.collect(),
        }
    }

    /// A customer of the carrier model, behind a name below Contoso's border controller.
    pub fn fabrikam() -> Self {
        let phones = ["ines", "mateo", "nadia"];
        let users = phones.iter().zip(0u16..).map(|(id, n)| UserConfig {
            number: format!("+1425555{:04}", 151 + n),
            object_id: format!("0c1d2e3f-1111-4222-8333-9444555666{:02}", 77 + n),
            tone_hz: 1430 + 110 * n,
            behaviour: Behaviour::answering(2000, 0),
            ..person(id, FABRIKAM_PEOPLE)
        });
        let accounts = FABRIKAM_PEOPLE.iter().skip(phones.len()).zip(0u16..).map(|(profile, n)| UserConfig {
            object_id: format!("0c1d2e3f-1111-4222-8333-9444555667{n:02}"),
            ..person(profile.id, FABRIKAM_PEOPLE)
        });
        Self {
            name: "Fabrikam".to_owned(),
            id: FABRIKAM.to_owned(),
            domains: vec!["fabrikam.sbc1.contoso.example".to_owned()],
            users: users.collect(),
            accounts: accounts.collect(),
        }
    }
}

/// What the directory says of somebody.
struct Profile {
    id: &'static str,
    name: &'static str,
    department: &'static str,
    job_title: &'static str,
    office: &'static str,
    language: &'static str,
    skills: &'static [&'static str],
    groups: &'static [&'static str],
    roles: &'static [&'static str],
    kind: Kind,
}

/// What kind of account it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Member,
    Guest,
    Left,
    Service,
}

fn person(id: &str, among: &[Profile]) -> UserConfig {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let Some(profile) = among.iter().find(|profile| profile.id == id) else { return UserConfig::default() };
    UserConfig {
        id: profile.id.to_owned(),
        name: profile.name.to_owned(),
        mail: if profile.kind == Kind::Guest { format!("{id}@adatum.example") } else { String::new() },
        department: profile.department.to_owned(),
        job_title: profile.job_title.to_owned(),
        office: profile.office.to_owned(),
        preferred_language: profile.language.to_owned(),
        skills: owned(profile.skills),
        groups: owned(profile.groups),
        app_roles: owned(profile.roles),
        administrator: ADMINISTRATORS.contains(&id),
        guest: profile.kind == Kind::Guest,
        enabled: profile.kind != Kind::Left,
        photo: matches!(profile.kind, Kind::Member),
        ..UserConfig::default()
    }
}

/// Who of Contoso has a Teams number: how long each lets it ring, and up to how much longer, in milliseconds.
const PHONES: &[(&str, u32, u32)] = &[
    ("alice", 2500, 4000),
    ("bela", 1500, 3000),
    ("chidi", 3000, 5000),
    ("dana", 2000, 6000),
    ("emre", 1000, 4000),
    ("farah", 2000, 3000),
    ("goran", 4000, 5000),
    ("hana", 1500, 2500),
];

/// Who administers a tenant, and so may consent for it.
const ADMINISTRATORS: [&str; 3] = ["karin", "olga", "ravi"];

/// Those with a number first, in the order of their numbers.
const CONTOSO_PEOPLE: &[Profile] = &[
    Profile {
        id: "alice",
        name: "Alice Reyes",
        department: "Customer Support",
        job_title: "Support Specialist",
        office: "Seattle 2/114",
        language: "en-US",
        skills: &["Networks", "VPN", "Spanish"],
        groups: &["Contact Center", "Support"],
        roles: &["Agent"],
        kind: Kind::Member,
    },
    Profile {
        id: "bela",
        name: "Béla Varga",
        department: "Customer Support",
        job_title: "Support Specialist",
        office: "Budapest 1/07",
        language: "hu-HU",
        skills: &["Invoices", "French", "Hungarian"],
        groups: &["Contact Center", "Support"],
        roles: &["Agent"],
        kind: Kind::Member,
    },
    Profile {
        id: "chidi",
        name: "Chidi Okafor",
        department: "Sales",
        job_title: "Account Manager",
        office: "London 4/22",
        language: "en-GB",
        skills: &["Contracts", "Negotiation"],
        groups: &["Contact Center", "Sales"],
        roles: &["Agent"],
        kind: Kind::Member,
    },
    Profile {
        id: "dana",
        name: "Dana Whitfield",
        department: "Sales",
        job_title: "Team Lead, Inside Sales",
        office: "Seattle 2/120",
        language: "en-US",
        skills: &["Contracts", "French", "Coaching"],
        groups: &["Contact Center", "Sales", "Team Leads"],
        roles: &["Agent", "Supervisor"],
        kind: Kind::Member,
    },
    Profile {
        id: "emre",
        name: "Emre Yıldız",
        department: "Customer Support",
        job_title: "Senior Support Specialist",
        office: "Istanbul 3/11",
        language: "tr-TR",
        skills: &["Networks", "Invoices", "Turkish"],
        groups: &["Contact Center", "Support"],
        roles: &["Agent"],
        kind: Kind::Member,
    },
    Profile {
        id: "farah",
        name: "Farah Haddad",
        department: "Billing",
        job_title: "Billing Analyst",
        office: "Montréal 1/33",
        language: "fr-CA",
        skills: &["Invoices", "Tax", "French", "Arabic"],
        groups: &["Contact Center", "Billing"],
        roles: &["Agent", "Expert"],
        kind: Kind::Member,
    },
    Profile {
        id: "goran",
        name: "Goran Petrović",
        department: "Sales",
        job_title: "Sales Representative",
        office: "Beograd 2/05",
        language: "sr-Latn-RS",
        skills: &["French", "Serbian"],
        groups: &["Contact Center", "Sales"],
        roles: &["Agent"],
        kind: Kind::Member,
    },
    Profile {
        id: "hana",
        name: "Hana Suzuki",
        department: "Network Engineering",
        job_title: "Network Engineer",
        office: "Osaka 7/02",
        language: "ja-JP",
        skills: &["Networks", "Routers", "Wi-Fi", "Japanese"],
        groups: &["Contact Center", "Engineering"],
        roles: &["Agent", "Expert"],
        kind: Kind::Member,
    },
    Profile {
        id: "noor",
        name: "Noor Aziz",
        department: "Network Engineering",
        job_title: "Principal Engineer",
        office: "Seattle 5/201",
        language: "en-US",
        skills: &["Firewalls", "VPN", "Networks"],
        groups: &["Engineering"],
        roles: &["Expert"],
        kind: Kind::Member,
    },
    Profile {
        id: "tomas",
        name: "Tomáš Novák",
        department: "Legal",
        job_title: "Contract Counsel",
        office: "Praha 1/09",
        language: "cs-CZ",
        skills: &["Contracts", "Data protection"],
        groups: &["Legal"],
        roles: &["Expert"],
        kind: Kind::Member,
    },
    Profile {
        id: "sofia",
        name: "Sofia Conti",
        department: "Customer Support",
        job_title: "Head of Customer Service",
        office: "Seattle 2/101",
        language: "it-IT",
        skills: &["Coaching", "Escalations"],
        groups: &["Contact Center", "Team Leads"],
        roles: &["Supervisor"],
        kind: Kind::Member,
    },
    Profile {
        id: "ravi",
        name: "Ravi Menon",
        department: "Information Technology",
        job_title: "Teams Administrator",
        office: "Seattle 1/003",
        language: "en-IN",
        skills: &["Microsoft 365", "Telephony"],
        groups: &["IT"],
        roles: &["Administrator"],
        kind: Kind::Member,
    },
    Profile {
        id: "olga",
        name: "Olga Lindqvist",
        department: "Partner Operations",
        job_title: "Service Operator",
        office: "Göteborg 2/18",
        language: "sv-SE",
        skills: &["Onboarding"],
        groups: &["IT"],
        roles: &["Operator", "Administrator"],
        kind: Kind::Member,
    },
    Profile {
        id: "lena",
        name: "Lena Vogt",
        department: "",
        job_title: "Consultant",
        office: "",
        language: "de-DE",
        skills: &[],
        groups: &[],
        roles: &[],
        kind: Kind::Guest,
    },
    Profile {
        id: "peter",
        name: "Peter Hale",
        department: "Sales",
        job_title: "Account Manager",
        office: "",
        language: "en-GB",
        skills: &["Contracts"],
        groups: &["Sales"],
        roles: &["Agent"],
        kind: Kind::Left,
    },
    Profile {
        id: "presence-contoso",
        name: "Tandem Presence",
        department: "",
        job_title: "Service account",
        office: "",
        language: "en-US",
        skills: &[],
        groups: &[],
        roles: &[],
        kind: Kind::Service,
    },
];

const FABRIKAM_PEOPLE: &[Profile] = &[
    Profile {
        id: "ines",
        name: "Inês Duarte",
        department: "Service Desk",
        job_title: "Service Desk Agent",
        office: "Porto 1/12",
        language: "pt-PT",
        skills: &["Orders", "Portuguese"],
        groups: &["Service Desk"],
        roles: &["Agent"],
        kind: Kind::Member,
    },
    Profile {
        id: "mateo",
        name: "Mateo Ruiz",
        department: "Service Desk",
        job_title: "Service Desk Agent",
        office: "Sevilla 2/03",
        language: "es-ES",
        skills: &["Orders", "Spanish"],
        groups: &["Service Desk"],
        roles: &["Agent"],
        kind: Kind::Member,
    },
    Profile {
        id: "nadia",
        name: "Nadia Kowalska",
        department: "Service Desk",
        job_title: "Service Desk Lead",
        office: "Gdańsk 3/08",
        language: "pl-PL",
        skills: &["Returns", "Polish", "Coaching"],
        groups: &["Service Desk", "Leads"],
        roles: &["Agent", "Supervisor"],
        kind: Kind::Member,
    },
    Profile {
        id: "luis",
        name: "Luís Moreira",
        department: "Product",
        job_title: "Product Engineer",
        office: "Porto 1/40",
        language: "pt-PT",
        skills: &["Pumps", "Spare parts"],
        groups: &["Product"],
        roles: &["Expert"],
        kind: Kind::Member,
    },
    Profile {
        id: "karin",
        name: "Karin Holm",
        department: "Information Technology",
        job_title: "IT Manager",
        office: "Porto 1/02",
        language: "en-GB",
        skills: &["Microsoft 365"],
        groups: &["IT"],
        roles: &["Administrator", "Supervisor"],
        kind: Kind::Member,
    },
    Profile {
        id: "presence-fabrikam",
        name: "Tandem Presence",
        department: "",
        job_title: "Service account",
        office: "",
        language: "en-US",
        skills: &[],
        groups: &[],
        roles: &[],
        kind: Kind::Service,
    },
];
