//! The page on which somebody signs in for a device that has no browser (RFC 8628).

use jiff::Timestamp;

use crate::directory::Directory;
use crate::entra::Entra;
use crate::entra::authorise::{Outcome, Person, Stop, Visit, Visited, candidates};
use crate::entra::fault::Fault;
use crate::entra::grant::{Device, DeviceState, Grant};
use crate::entra::page;

impl Entra {
    /// `/common/oauth2/deviceauth`.
    pub(crate) fn device_page(
        &mut self,
        directory: &mut Directory,
        now: Timestamp,
        visit: &Visit<'_>,
    ) -> Visited {
        match self.device_known(directory, now, visit) {
            Ok(visited) => visited,
            Err(Stop::Page(page)) => *page,
            Err(Stop::Back(fault)) => visit.fault(&fault, None),
        }
    }

    fn device_known(
        &mut self,
        directory: &mut Directory,
        now: Timestamp,
        visit: &Visit<'_>,
    ) -> Result<Visited, Stop> {
        let typed = visit.form.and_then(|form| form.get("otc")).map(str::trim);
        let device = typed.and_then(|typed| {
            let is = |device: &&mut Device| {
                device.user_code.eq_ignore_ascii_case(typed) && device.state == DeviceState::Waiting
            };
            self.devices.iter_mut().find(is).map(|device| (device.client.clone(), device.asked.clone()))
        });
        let Some((client, asked)) = device else {
            let fault = typed.map(|_| Fault::DeviceUnknown);
            let frame =
                page::Frame { language: visit.language, app: "", action: visit.address, hidden: Vec::new() };
            let html = page::device(&frame, fault.as_ref());
            let status = if fault.is_some() { 400 } else { 200 };
            return Ok(Visited { outcome: Outcome::Page { status, html }, browser: None });
        };
        let typed = typed.unwrap_or_default().to_owned();
        let app = directory.app(&client).cloned().ok_or(Fault::Malformed)?;
        let tenants = candidates(directory, visit.authority, &app, None);
        let granted = self.who(directory, now, visit, &app, &tenants, "select_account", None).and_then(
            |(person, browser)| {
                let mfa = self.strong_enough(visit, &app, &person, false, "")?;
                let person = Person { mfa, ..person };
                self.consent_in_passing(directory, visit, &app, &asked, &person, "")?;
                Ok((person, browser))
            },
        );
        let (state, browser) = match granted {
            Ok((person, browser)) => {
                let cookie = self.remember(now, browser, &person);
                let grant = Grant {
                    client,
                    tenant: person.user.tenant.clone(),
                    user: person.user.object_id.clone(),
                    asked,
                    mfa: person.mfa,
                    page: false,
                    since: now,
                };
                (DeviceState::Granted(grant), Some(cookie))
            }
            Err(Stop::Back(Fault::Declined)) => (DeviceState::Declined, None),
            Err(stop) => return Err(stop),
        };
        let title = match state {
            DeviceState::Granted(_) => {
                ("You are signed in on your device", "Vous êtes connecté sur votre appareil")
            }
            DeviceState::Waiting | DeviceState::Declined => {
                ("You have declined to sign in", "Vous avez refusé de vous connecter")
            }
        };
        let typed = typed.to_uppercase();
        if let Some(device) = self.devices.iter_mut().find(|device| device.user_code == typed) {
            device.state = state;
        }
        let text = ("You may close this window.", "Vous pouvez fermer cette fenêtre.");
        let html = page::message(visit.language, title, text);
        Ok(Visited { outcome: Outcome::Page { status: 200, html }, browser })
    }
}
