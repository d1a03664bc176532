//! How long a search takes, and how much memory a person needs: `cargo run --release -p tandem-people --example search
//! [people]`. Names are made up; half of the queries have a typing error. Prints milliseconds and bytes.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures needs a clock and an outside"
)]

use std::time::{Duration, Instant};

use tandem_people::directory::{Directory, Entry, Experts, Filters, Skill, Solved, WantedSkill};
use tandem_people::moment::UnixMillis;

const FIRST: &[&str] =
    &["An", "Be", "Chri", "Dá", "El", "Fló", "Gü", "Hei", "Ing", "Jø", "Kar", "Lu", "Mar", "Nad"];
const MIDDLE: &[&str] =
    &["na", "la", "stel", "mi", "ri", "ko", "ther", "li", "va", "ne", "do", "sa", "bel", "ta"];
const LAST: &[&str] = &["s", "n", "ka", "l", "ra", "ß", "th", "a", "o", "rt", "nd", "ck", "e", "vić"];
const DEPARTMENTS: &[&str] =
    &["Billing", "Customer Service", "Finance", "Field Support", "Legal", "Sales DACH", "IT"];
const TITLES: &[&str] =
    &["Specialist", "Team Lead", "Engineer", "Senior Consultant", "Director of Operations"];
const SKILLS: &[&str] =
    &["Refunds", "C++", "Exchange Online", "French", "Contracts", "Networking", "SAP FI", "Returns"];
const OFFICES: &[&str] = &["Berlin", "København 2.01", "Łódź", "Paris La Défense", "Zürich", "Madrid"];

fn main() {
    let people: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(50_000);
    let mut draw = Draw(0x5eed);
    let before = resident_bytes();
    let began = Instant::now();
    let mut directory = Directory::new();
    for number in 0..people {
        directory.upsert(somebody(number, &mut draw)).unwrap();
    }
    println!("people {people}");
    println!("build_ms {:.0}", milliseconds(began.elapsed()));
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        println!("bytes_per_person {}", after.saturating_sub(before) / people.max(1));
    }

    let mut times = Vec::new();
    let mut found = 0;
    for round in 0..2_000 {
        let query = query(round, &mut draw);
        let began = Instant::now();
        found += directory.search(&query, Filters::default(), 20).len();
        times.push(began.elapsed());
    }
    print_times("search", &mut times);
    println!("search_found_mean {}", found / times.len());

    let mut times = Vec::new();
    for round in 0..200 {
        let skill = SKILLS[round % SKILLS.len()];
        let wanted =
            Experts { skills: vec![WantedSkill { name: skill.into(), least: 0 }], ..Experts::default() };
        let began = Instant::now();
        let suggested = directory.suggest(&wanted, &Solved::default(), UnixMillis::default(), |_| None, 10);
        times.push(began.elapsed());
        assert!(people < 1_000 || !suggested.is_empty());
    }
    print_times("suggest", &mut times);
}

fn somebody(number: usize, draw: &mut Draw) -> Entry {
    let name = format!("{} {}", name(draw), name(draw));
    let mut entry = Entry::new(&format!("{number:08x}-4b0a-4e5c-9d43-0a4f6f2f7a10"), &name);
    let account = format!("{}{number}@contoso.example", name.to_lowercase().replace(' ', "."));
    entry.mail = Some(account.clone());
    entry.user_name = Some(account);
    entry.department = Some(draw.one_of(DEPARTMENTS).to_owned());
    entry.job_title = Some(draw.one_of(TITLES).to_owned());
    entry.office = Some(draw.one_of(OFFICES).to_owned());
    entry.phone = Some(format!("+49 30 {number:08}"));
    entry.languages = vec!["de".into(), "en".into()];
    entry.skills = (0..draw.below(4)).map(|_| Skill::of_profile(draw.one_of(SKILLS))).collect();
    entry
}

fn name(draw: &mut Draw) -> String {
    let middle = (0..1 + draw.below(2)).map(|_| draw.one_of(MIDDLE)).collect::<String>();
    format!("{}{middle}{}", draw.one_of(FIRST), draw.one_of(LAST))
}

/// What people type: beginnings, whole names, names with a department, each of them misspelt half of the time.
fn query(round: usize, draw: &mut Draw) -> String {
    let mut letters: Vec<char> = match round % 5 {
        0 => name(draw).chars().take(1 + draw.below(4)).collect(),
        1 => name(draw).chars().collect(),
        2 => format!("{} {}", name(draw), name(draw)).chars().collect(),
        3 => format!("{} {}", draw.one_of(DEPARTMENTS), name(draw)).chars().collect(),
        _ => draw.one_of(SKILLS).chars().collect(),
    };
    if draw.below(2) == 0 && letters.len() > 4 {
        let at = draw.below(letters.len() - 1);
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

fn print_times(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    for (name, permille) in [("p50", 500), ("p99", 990), ("max", 1_000)] {
        let place = (times.len() * permille / 1_000).min(times.len() - 1);
        println!("{what}_{name}_ms {:.2}", milliseconds(times[place]));
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// What the program has in memory; `None` where there is no `/proc`.
fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024)
}

/// The same numbers each time (xorshift64*).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % end
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}
