"use strict";
// The page of the sandbox's people: draws what /sandbox/people says, and plays whom one chooses.

const WORDS = {
  en: {
    skip: "Skip to the person", title: "Teams people", language: "Language", people: "People", find: "Find somebody",
    lead: "A sandbox, not Microsoft 365. Be anybody: what you choose here is what Tandem sees.",
    nobody: "Choose somebody in the list.", without: "This account has no Teams presence.",
    chooses: "What the person chooses", does: "What the person does", message: "Status message",
    away: "Out of office, with this reply", save: "Save", parts: "What the presence is made of",
    behind: "Behind the scenes", apps: "Applications and consent", subscriptions: "Who is told of changes",
    guest: "guest", disabled: "may not sign in", none: "Nobody fits.", saved: "Saved.", failed: "That did not work: ",
    lost: "The sandbox does not answer. Trying again.",
    consented: (count) => `Consent given, ${count} permissions`, missing: "No consent", withdraw: "Withdraw consent",
    consent: "Give consent", nobodyTold: "No application has subscribed. Tandem asks by itself, every few seconds.",
    told: (app, what, until) => `${app} is told of ${what}, until ${until}`,
    presenceOf: (count) => (count === 1 ? "the presence of 1 person" : `the presence of ${count} people`),
    users: "changes of users", groups: "changes of groups", warned: "must be authorised again", silent: "silent",
    client: { desktop: "Teams on the computer", mobile: "Teams on the phone", web: "Teams in the browser" },
    app: (app, until) => `${app}, an application, until ${until}`, prefers: "Chosen by the person",
    signedOut: "Signed in nowhere", now: (name, status) => `${name}: ${status}`,
    contradiction: "Graph, when asked, says",
    choice: {
      available: "Available", busy: "Busy", do_not_disturb: "Do not disturb", be_right_back: "Be right back",
      away: "Appear away", appear_offline: "Appear offline", in_a_call: "In a call",
      in_a_conference_call: "In a conference call", in_a_meeting: "In a meeting", presenting: "Presenting",
      focusing: "Focusing", inactive: "Left the keyboard", signed_out: "Sign out",
    },
    status: {
      Available: "Available", AvailableIdle: "Available, idle", Away: "Away", BeRightBack: "Be right back", Busy: "Busy",
      BusyIdle: "Busy, idle", DoNotDisturb: "Do not disturb", Offline: "Offline", PresenceUnknown: "Unknown",
      InACall: "In a call", InAConferenceCall: "In a conference call", InAMeeting: "In a meeting",
      Presenting: "Presenting", Focusing: "Focusing", Inactive: "Inactive", OffWork: "Off work",
      OutOfOffice: "Out of office", UrgentInterruptionsOnly: "Urgent interruptions only",
    },
  },
  fr: {
    skip: "Aller à la personne", title: "Les gens de Teams", language: "Langue", people: "Personnes",
    find: "Chercher quelqu’un",
    lead: "Un bac à sable, pas Microsoft 365. Soyez qui vous voulez : Tandem voit ce que vous choisissez ici.",
    nobody: "Choisissez quelqu’un dans la liste.", without: "Ce compte n’a pas de présence Teams.",
    chooses: "Ce que la personne choisit", does: "Ce que la personne fait", message: "Message de statut",
    away: "Absent du bureau, avec cette réponse", save: "Enregistrer", parts: "De quoi la présence est faite",
    behind: "En coulisses", apps: "Applications et consentement", subscriptions: "Qui est informé des changements",
    guest: "invité", disabled: "connexion bloquée", none: "Personne ne correspond.", saved: "Enregistré.",
    failed: "Cela n’a pas marché : ", lost: "Le bac à sable ne répond pas. Nouvel essai.",
    consented: (count) => `Consentement donné, ${count} autorisations`, missing: "Pas de consentement",
    withdraw: "Retirer le consentement", consent: "Donner le consentement",
    nobodyTold: "Aucune application n’est abonnée. Tandem demande lui-même, toutes les quelques secondes.",
    told: (app, what, until) => `${app} est informé de ${what}, jusqu’à ${until}`,
    presenceOf: (count) => (count === 1 ? "la présence d’une personne" : `la présence de ${count} personnes`),
    users: "changements d’utilisateurs", groups: "changements de groupes", warned: "à autoriser de nouveau",
    silent: "muet",
    client: { desktop: "Teams sur l’ordinateur", mobile: "Teams sur le téléphone", web: "Teams dans le navigateur" },
    app: (app, until) => `${app}, une application, jusqu’à ${until}`, prefers: "Choisi par la personne",
    signedOut: "Connecté nulle part", now: (name, status) => `${name} : ${status}`,
    contradiction: "Graph, si on lui demande, dit",
    choice: {
      available: "Disponible", busy: "Occupé", do_not_disturb: "Ne pas déranger", be_right_back: "De retour bientôt",
      away: "Apparaître absent", appear_offline: "Apparaître hors ligne", in_a_call: "En appel",
      in_a_conference_call: "En conférence", in_a_meeting: "En réunion", presenting: "Présente son écran",
      focusing: "Se concentre", inactive: "A quitté le clavier", signed_out: "Se déconnecter",
    },
    status: {
      Available: "Disponible", AvailableIdle: "Disponible, inactif", Away: "Absent", BeRightBack: "De retour bientôt",
      Busy: "Occupé", BusyIdle: "Occupé, inactif", DoNotDisturb: "Ne pas déranger", Offline: "Hors ligne",
      PresenceUnknown: "Inconnu", InACall: "En appel", InAConferenceCall: "En conférence", InAMeeting: "En réunion",
      Presenting: "Présente", Focusing: "Se concentre", Inactive: "Inactif", OffWork: "Hors travail",
      OutOfOffice: "Absent du bureau", UrgentInterruptionsOnly: "Urgences seulement",
    },
  },
};

const CHOICES = {
  choices: ["available", "busy", "do_not_disturb", "be_right_back", "away", "appear_offline"],
  doings: ["in_a_call", "in_a_conference_call", "in_a_meeting", "presenting", "focusing", "inactive", "signed_out"],
};
const COLOURS = {
  Available: "free", AvailableIdle: "away", Busy: "busy", BusyIdle: "busy", DoNotDisturb: "quiet", Away: "away",
  BeRightBack: "away",
};
const CHOICE_COLOURS = {
  available: "free", busy: "busy", do_not_disturb: "quiet", be_right_back: "away", away: "away", in_a_call: "busy",
  in_a_conference_call: "busy", in_a_meeting: "busy", presenting: "quiet", focusing: "quiet", inactive: "away",
};

const at = (id) => document.getElementById(id);
let language = stored("language") ?? (navigator.language.startsWith("fr") ? "fr" : "en");
let state = null;
let drawn = "";

function words() { return WORDS[language]; }

function stored(name) { try { return localStorage.getItem(name); } catch { return null; } }

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function statusText(status) {
  const { status: names } = words();
  const [availability, activity] = [names[status.availability], names[status.activity]];
  const same = status.availability === status.activity || status.activity === "Inactive";
  return same ? availability ?? status.availability : activity ?? status.activity;
}

function colour(status) { return COLOURS[status?.availability] ?? "off"; }

function initials(name) {
  const parts = name.split(/\s+/);
  return ((parts[0]?.[0] ?? "") + (parts.length > 1 ? parts.at(-1)[0] : "")).toUpperCase();
}

function time(text) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(text));
}

function chosenPerson() {
  const id = decodeURIComponent(location.hash.slice(1));
  return state?.tenants.flatMap((tenant) => tenant.people).find((person) => person.id === id);
}

function drawWords() {
  document.documentElement.lang = language;
  document.title = words().title;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = words()[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words()[element.dataset.label]);
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
}

function fits(person, wanted) {
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const text = plain([person.name, person.principal, person.department, person.job_title, ...person.roles].join(" "));
  return plain(wanted).split(/\s+/).every((word) => text.includes(word));
}

function drawList() {
  const wanted = at("find").value;
  const chosen = chosenPerson();
  const focused = document.activeElement?.dataset?.person;
  const groups = state.tenants.map((tenant) => {
    const people = tenant.people.filter((person) => fits(person, wanted));
    if (people.length === 0) return null;
    people.sort((one, other) => one.name.localeCompare(other.name, language));
    const rows = people.map((person) => make("li", {}, row(person, person === chosen)));
    const heading = make("h2", { className: "tenant", textContent: tenant.name });
    return make("div", {}, heading, make("ul", {}, ...rows));
  });
  const shown = groups.filter((group) => group !== null);
  if (shown.length === 0) shown.push(make("p", { className: "empty", textContent: words().none }));
  at("list").replaceChildren(...shown);
  if (focused) at("list").querySelector(`[data-person="${CSS.escape(focused)}"]`)?.focus();
}

function row(person, isChosen) {
  const shown = person.presence?.shown;
  const notes = [person.job_title, person.guest ? words().guest : "", person.enabled ? "" : words().disabled];
  const face = make("span", { className: "face", textContent: initials(person.name) });
  face.setAttribute("aria-hidden", "true");
  face.append(make("span", { className: `dot ${colour(shown)}` }));
  const status = shown ? statusText(shown) : "";
  const text = make("span", {}, person.name, make("small", { textContent: status }),
    make("small", { textContent: notes.filter(Boolean).join(" · ") }));
  const button = make("button", { type: "button", className: "row" }, face, text);
  button.dataset.person = person.id;
  if (isChosen) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => { location.hash = encodeURIComponent(person.id); at("person").focus(); });
  return button;
}

function drawPerson() {
  const person = chosenPerson();
  at("nobody").hidden = person !== undefined;
  at("chosen").hidden = person === undefined;
  if (!person) return;
  const presence = person.presence;
  at("face").textContent = initials(person.name);
  at("name").textContent = person.name;
  at("about").textContent = [person.job_title, person.department, person.roles.join(", ")].filter(Boolean).join(" · ");
  at("now").textContent = presence ? statusText(presence.shown) : "";
  at("dot").className = `dot ${colour(presence?.shown)}`;
  const playable = presence?.licensed === true;
  at("without").hidden = playable;
  at("controls").hidden = !playable;
  if (!playable) return;
  for (const [place, choices] of Object.entries(CHOICES)) drawChoices(at(place), choices, person);
  for (const [id, value] of [["message", presence.status_message], ["office", presence.out_of_office]]) {
    const field = at(id);
    if (document.activeElement !== field || field.dataset.person !== person.id) field.value = value ?? "";
    field.dataset.person = person.id;
  }
  drawParts(presence);
}

function drawChoices(place, choices, person) {
  if (place.children.length !== choices.length || place.dataset.language !== language) {
    place.dataset.language = language;
    place.replaceChildren(...choices.map((choice) => {
      const dot = make("span", { className: `dot ${CHOICE_COLOURS[choice] ?? "off"}` });
      dot.setAttribute("aria-hidden", "true");
      const button = make("button", { type: "button" }, dot, words().choice[choice]);
      button.dataset.choice = choice;
      button.addEventListener("click", () => play({ choice }));
      return button;
    }));
  }
  for (const button of place.children) {
    button.setAttribute("aria-pressed", String(button.dataset.choice === person.choice));
  }
}

function drawParts(presence) {
  const lines = [];
  if (presence.preferred) lines.push([words().prefers, presence.preferred]);
  for (const { client, status } of presence.clients) lines.push([words().client[client], status]);
  for (const { app, status, expires } of presence.apps) lines.push([words().app(appName(app), time(expires)), status]);
  if (presence.contradiction) lines.push([words().contradiction, presence.contradiction]);
  const items = lines.map(([what, status]) => make("li", { textContent: words().now(what, statusText(status)) }));
  if (presence.clients.length === 0) items.push(make("li", { textContent: words().signedOut }));
  at("parts").replaceChildren(...items);
}

function appName(id) { return state.apps.find((app) => app.id === id)?.name ?? id; }

function drawApps() {
  const blocks = state.tenants.flatMap((tenant) => tenant.apps.map((app) => {
    const granted = [...new Set([...app.permissions, ...app.delegated])].sort();
    const given = words().now(words().consented(granted.length), granted.join(", "));
    const text = app.consented ? given : words().missing;
    const button = make("button", { type: "button", textContent: app.consented ? words().withdraw : words().consent });
    button.setAttribute("aria-label", `${button.textContent}: ${app.name}, ${tenant.name}`);
    button.addEventListener("click", () => {
      send(app.consented ? "DELETE" : "PUT", `/sandbox/tenants/${tenant.id}/apps/${app.id}`);
    });
    return make("div", { className: "app" }, make("strong", { textContent: `${app.name} · ${tenant.name}` }),
      make("p", { textContent: text }), button);
  }));
  at("apps").replaceChildren(...blocks);
  const told = state.subscriptions.map((one) => {
    const count = one.resource.match(/^presence of (\d+)$/)?.[1];
    const what = count ? words().presenceOf(Number(count)) : words()[one.resource] ?? one.resource;
    const standing = one.standing === "good" ? "" : ` (${words()[one.standing]})`;
    return make("li", { textContent: words().told(appName(one.app), what, time(one.expires)) + standing });
  });
  if (told.length === 0) told.push(make("li", { textContent: words().nobodyTold }));
  at("subscriptions").replaceChildren(...told);
}

function draw() {
  drawWords();
  if (!state) return;
  drawList();
  drawPerson();
  const behind = JSON.stringify([language, state.tenants.map((tenant) => tenant.apps), state.subscriptions]);
  if (behind !== drawn) {
    drawn = behind;
    drawApps();
  }
}

function say(text) {
  at("said").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { at("said").textContent = ""; }, 4000);
}

async function send(method, path, body) {
  try {
    const options = { method };
    if (body) Object.assign(options, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
    const answer = await fetch(path, options);
    if (!answer.ok) say(words().failed + (await answer.text()));
    return answer.ok;
  } catch {
    say(words().lost);
    return false;
  }
}

async function play(what) {
  const person = chosenPerson();
  if (!person) return;
  const done = await send("PUT", `/sandbox/people/${encodeURIComponent(person.id)}/presence`, what);
  if (done) say(what.choice ? words().now(person.name, words().choice[what.choice]) : words().saved);
}

async function follow() {
  for (;;) {
    try {
      const since = state ? `?version=${state.version}&wait_ms=25000` : "";
      const answer = await fetch(`/sandbox/people${since}`);
      if (answer.status === 200) {
        state = await answer.json();
        draw();
      } else if (answer.status !== 204) {
        throw new Error(String(answer.status));
      }
    } catch {
      say(words().lost);
      await new Promise((done) => { setTimeout(done, 2000); });
    }
  }
}

at("find").addEventListener("input", () => { if (state) drawList(); });
at("words").addEventListener("submit", (event) => {
  event.preventDefault();
  play({ message: at("message").value, out_of_office: at("office").value });
});
at("list").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...at("list").querySelectorAll(".row")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (next) { event.preventDefault(); next.focus(); }
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    language = button.dataset.language;
    try { localStorage.setItem("language", language); } catch { /* The choice lasts as long as the page. */ }
    draw();
  });
}
addEventListener("hashchange", draw);
drawWords();
follow();
