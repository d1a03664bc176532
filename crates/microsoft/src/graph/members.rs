//! Who belongs to a group: for groups that give a role in Tandem.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::graph::call::{Answer, Call, Caller, LINK_OCTETS_MAX, Operation, Target};
use crate::graph::fault::{Fault, FaultKind};
use crate::http::Method;
use crate::id::ObjectId;

/// Reads all users in a group, and in groups in it, page by page.
///
/// Ask with [`MembersReading::call`], hand the answer to [`MembersReading::handle_answer`], until it is done. How often and how fast
/// is the reader's matter, with a [`Throttle`](crate::graph::throttle::Throttle).
#[derive(Clone, Debug)]
pub struct MembersReading {
    group: ObjectId,
    link: Option<String>,
    pages: u32,
    members: BTreeSet<ObjectId>,
}

/// How far a reading is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Progress<T> {
    /// There is more: ask again.
    More,
    /// This is all.
    Done(T),
}

impl MembersReading {
    /// To read the users of this group.
    #[must_use]
    pub fn new(group: ObjectId) -> Self {
        Self { group, link: None, pages: 0, members: BTreeSet::new() }
    }

    /// The next page to ask for.
    #[must_use]
    pub fn call(&self) -> Call {
        match &self.link {
            Some(link) => {
                let target = Target::Link(link.clone());
                Call::new(Operation::ReadMembers, Caller::Application, Method::Get, target)
            }
            None => Call::get(
                Operation::ReadMembers,
                Caller::Application,
                format!("/groups/{}/transitiveMembers?$select=id&$top=999", self.group),
            ),
        }
    }

    /// Takes a page.
    ///
    /// # Errors
    /// It could not be read. The same page may be asked for again.
    pub fn handle_answer(&mut self, answer: &Answer) -> Result<Progress<BTreeSet<ObjectId>>, Fault> {
        let page: Page = Fault::read(Operation::ReadMembers, answer, |response| {
            serde_json::from_slice(&response.body).ok()
        })?;
        let users = page.value.into_iter().filter(|member| {
            member.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("#microsoft.graph.user"))
        });
        self.members.extend(users.filter_map(|member| member.id.parse::<ObjectId>().ok()));
        self.pages += 1;
        let endless = self.pages >= PAGES_MAX || self.members.len() > MEMBERS_MAX;
        match page.next.filter(|link| link.len() <= LINK_OCTETS_MAX) {
            Some(link) if endless || self.link.as_ref() == Some(&link) => Err(endless_fault()),
            Some(link) => {
                self.link = Some(link);
                Ok(Progress::More)
            }
            None => Ok(Progress::Done(std::mem::take(&mut self.members))),
        }
    }
}

/// Asks in which of these groups, at most [`CHECKED_MAX`], a person is; groups in groups count too.
#[must_use]
pub fn check(person: ObjectId, groups: &[ObjectId]) -> Call {
    let group_ids = groups.get(..CHECKED_MAX).unwrap_or(groups);
    Call::post(Operation::ReadMembers, Caller::Application, format!("/users/{person}/checkMemberGroups"))
        .json(&Check { group_ids })
}

/// Reads the answer to [`check`]: those of the groups the person is in.
///
/// # Errors
/// It was not done, or cannot be read.
pub fn checked(answer: &Answer) -> Result<BTreeSet<ObjectId>, Fault> {
    let page: Checked =
        Fault::read(Operation::ReadMembers, answer, |response| serde_json::from_slice(&response.body).ok())?;
    Ok(page.value.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Groups that one [`check`] takes.
pub const CHECKED_MAX: usize = 20;

/// Pages of one group; more is taken for endless.
pub const PAGES_MAX: u32 = 200;

/// Members of one group; a role for more people than that is a mistake, and is not read.
pub const MEMBERS_MAX: usize = 100_000;

fn endless_fault() -> Fault {
    Fault {
        kind: FaultKind::Unreadable,
        operation: Operation::ReadMembers,
        status: 200,
        code: Box::default(),
        request_id: Box::default(),
    }
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Member>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    id: String,
    #[serde(rename = "@odata.type")]
    kind: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check<'a> {
    group_ids: &'a [ObjectId],
}

#[derive(Deserialize)]
struct Checked {
    value: Vec<String>,
}
