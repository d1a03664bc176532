/** What each role sees and does: agents, experts, administrators, operators. */

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launch, Stage, type StageSettings } from "./stage.ts";

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
});

afterEach(async () => {
  await stage.close();
});

async function open(as: string, settings: StageSettings = {}): Promise<Stage> {
  stage = await Stage.open(browser, { seed: 5, agents: 8, callsPerMinute: 8, as, ...settings });
  return stage;
}

async function ways(): Promise<string[]> {
  return await stage.page.getByRole("navigation", { name: "Views" }).getByRole("link").allTextContents();
}

describe("an agent", () => {
  test("sees their own work and nobody else's, and never follows the whole center", async () => {
    const { page } = await open("gus");
    await stage.goto();
    await page.getByRole("heading", { name: "My state" }).waitFor();
    expect(await ways()).toEqual(["My work", "Experts"]);
    await page.getByRole("heading", { name: "My queues" }).waitFor();
    expect(stage.server.greetings).toEqual([]);
    expect(stage.server.asked.map(({ path }) => path)).not.toContain("/api/v1/agents");
    await stage.goto("/people");
    await page.getByRole("heading", { name: "My state" }).waitFor();
  });

  test("chooses what to be, and sees what comes of it", async () => {
    const { page, center } = await open("gus");
    await stage.goto();
    const [agent] = center.agents;
    for (const [name, chosen] of [["Break", "break"], ["Available", "available"]] as const) {
      await page.getByRole("group", { name: "What do you want to be?" }).getByRole("button", { name }).click();
      await expect.poll(() => agent && center.view.live.agents[agent.id]?.chosen.state).toBe(chosen);
      await page.getByRole("button", { name, pressed: true }).waitFor();
    }
  });

  test("is told whom to ask about the call", async () => {
    const { page, center } = await open("gus");
    const [agent] = center.agents;
    const work = (): string | undefined => agent && center.view.live.agents[agent.id]?.work?.[0]?.doing;
    await expect.poll(() => (stage.pass(2), work()), { interval: 1, timeout: 20_000 }).toBe("talking");
    await stage.goto();
    await page.getByRole("button", { name: "Whom to ask?" }).click();
    const whom = page.getByRole("region", { name: "Whom to ask" });
    await whom.getByText("Zoë Fournier").waitFor();
    await whom.getByText("Of the same department, Research").waitFor();
  });

  test("ends the wrap-up and says what it was about", async () => {
    const { page, center } = await open("gus");
    const [agent] = center.agents;
    const work = (): string | undefined => agent && center.view.live.agents[agent.id]?.work?.[0]?.doing;
    await expect.poll(() => (stage.pass(2), work()), { interval: 1, timeout: 20_000 }).toBe("wrap_up");
    await stage.goto();
    await page.getByRole("button", { name: "End the wrap-up…" }).click();
    await page.getByLabel("What was it about?").selectOption({ index: 1 });
    await page.getByRole("dialog").getByRole("button", { name: "End the wrap-up" }).click();
    await expect.poll(work).not.toBe("wrap_up");
    await page.getByText("The wrap-up is over.").waitFor({ state: "attached" });
  });

  test("sees whose word stops offers, and how old it is", async () => {
    const { page, center } = await open("gus");
    const [agent] = center.agents;
    const presence = (): unknown => agent && center.view.live.agents[agent.id]?.presence?.presence;
    await expect.poll(() => (stage.pass(5), presence()), { interval: 1, timeout: 20_000 }).toBeTruthy();
    await stage.goto();
    await expect.poll(() => page.locator(".work .presence").textContent()).toMatch(/Teams: .+, confirmed within \d+:\d\d\. /);
  });
});

describe("an expert", () => {
  test("finds people while typing, with whether they are free and how long ago that was", async () => {
    const { page } = await open("eve");
    await stage.goto();
    await page.getByLabel("Name, subject or anything").pressSequentially("lefevre", { delay: 20 });
    await page.getByText("1 person found").waitFor();
    const found = page.locator(".found");
    expect(await found.textContent()).toContain("Zoé Lefèvre");
    expect(await found.locator(".chip").textContent()).toBe("in a meeting");
    await found.getByText("8 s ago").waitFor();
    const asked = stage.server.asked.filter(({ path }) => path === "/api/v1/directory").length;
    expect(asked).toBeLessThan("lefevre".length);
    await page.getByLabel("Name, subject or anything").fill("");
    await page.getByLabel("Skill").fill("invoices");
    await page.locator(".found").filter({ hasText: "Omar Said" }).getByText("available").waitFor();
  });
});

describe("an administrator", () => {
  test("adds people, changes, disables and removes them", async () => {
    const { page } = await open("ada");
    await stage.goto("/people");
    await page.getByRole("button", { name: "Add a person…" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Nia Voss");
    await page.getByRole("dialog").getByLabel("User name").fill("nia");
    await page.getByRole("dialog").getByLabel("Supervisor").check();
    await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
    const row = page.getByRole("row", { name: /Nia Voss/ });
    await row.getByText("given here").waitFor();
    await choose("Nia Voss", "Change…");
    expect(await page.getByRole("dialog").getByLabel("Supervisor").isChecked()).toBe(true);
    await page.getByRole("dialog").getByLabel("Expert").check();
    await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
    await row.getByText("Expert").waitFor();
    await choose("Nia Voss", "Let no longer sign in");
    await row.getByText("may not sign in").waitFor();
    await choose("Nia Voss", "Remove…");
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await row.waitFor({ state: "detached" });
  });

  test("changes a name without touching the agent, whom the list no longer has", async () => {
    const { page } = await open("ada");
    await stage.goto("/people");
    await page.getByRole("button", { name: "Add a person…" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Nia Voss");
    await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
    await page.getByRole("row", { name: /Nia Voss/ }).waitFor();
    // Elsewhere she is linked to an agent whom the configuration has since dropped.
    const nia = stage.server.identity.people.find(({ name }) => name === "Nia Voss");
    if (nia) nia.agent = "agent-who-went";
    await stage.goto("/people");
    await choose("Nia Voss", "Change…");
    expect(await page.getByRole("dialog").getByLabel("Takes calls as").inputValue()).toBe("agent-who-went");
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Nia Voss-Lind");
    await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
    await page.getByRole("row", { name: /Nia Voss-Lind/ }).waitFor();
    const asked = stage.server.commands.filter(({ method }) => method === "PATCH").map(({ body }) => body);
    expect(asked).toEqual([{ name: "Nia Voss-Lind" }]);
  });

  test("invites by a link, and learns why somebody of the configuration cannot be changed", async () => {
    const { page } = await open("ada");
    await stage.goto("/people");
    await choose("Eve Roux", "Invite…");
    await page.getByRole("dialog").getByRole("button", { name: "Make the link" }).click();
    const link = page.getByRole("dialog").getByLabel("Link");
    expect(await link.inputValue()).toBe(`${stage.origin}/invitation#c-1`);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "What can be done with Eve Roux" }).click();
    expect(await page.getByRole("menuitem").allTextContents()).toEqual(["Invite…", "Sign out everywhere"]);
    await page.getByText("stand in the configuration file, and are changed there.").waitFor();
  });

  test("signs somebody out everywhere, at once", async () => {
    const { page } = await open("ada");
    await stage.goto("/people");
    const sam = stage.server.identity.byName("sam");
    if (sam) stage.server.identity.open(sam);
    expect(stage.server.identity.logins("person-sam")).toBe(1);
    await choose("Sam Okoro", "Sign out everywhere");
    await page.getByText("Sam Okoro is signed out everywhere.").waitFor({ state: "attached" });
    expect(stage.server.identity.logins("person-sam")).toBe(0);
  });

  test("makes a key, sees it once, and revokes it", async () => {
    const { page } = await open("ada");
    await stage.goto("/keys");
    await page.getByRole("button", { name: "Make a key…" }).click();
    await page.getByRole("dialog").getByLabel("What for").fill("Reports");
    await page.getByRole("dialog").getByLabel("reports:read").check();
    await page.getByRole("dialog").getByRole("button", { name: "Make the key" }).click();
    expect(await page.getByRole("dialog").getByLabel("Key", { exact: true }).inputValue()).toBe("tk_secret_shown_once");
    await page.getByRole("button", { name: "I have copied it" }).click();
    await choose("Reports", "Revoke…");
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("row", { name: /Reports/ }).waitFor({ state: "detached" });
  });

  test("adds a webhook, reads its log, and has events told again", async () => {
    const { page } = await open("ada");
    await stage.goto("/webhooks");
    await page.getByText("failing, tried 3 times").waitFor();
    await page.getByRole("button", { name: "Add a webhook…" }).click();
    await page.getByRole("dialog").getByLabel("Address").fill("https://other.example/in");
    await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
    expect(await page.getByRole("dialog").getByLabel("Secret").inputValue()).toBe("whsec_shown_once");
    await page.keyboard.press("Escape");
    await choose("Customer records", "What was tried");
    await page.getByText("HTTP 503").waitFor();
    await page.getByRole("row", { name: /Event 41/ }).getByRole("button", { name: "Send again" }).click();
    await page.getByText("It was taken.").waitFor({ state: "attached" });
    await choose("Customer records", "Send a test");
    await page.locator(".refusal").getByText("It was not taken: no answer: the connection was refused").waitFor();
  });

  test("reads the trail, filtered and page by page", async () => {
    const { page } = await open("ada");
    await stage.goto("/audit");
    await expect.poll(() => page.locator(".audit tbody tr").count()).toBe(50);
    await page.getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => page.locator(".audit tbody tr").count()).toBe(60);
    await page.getByLabel("Outcome").selectOption("of another tenant");
    await expect.poll(() => page.locator(".audit tbody tr").count()).toBe(8);
    await page.getByText("Refused: not_yours").first().waitFor();
    await page.getByLabel("Outcome").selectOption("all");
    // By name, though the trail is asked by id.
    await page.getByLabel("Who").fill("Ada Marsh");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await expect.poll(() => page.locator(".audit tbody tr").count()).toBe(50);
    await expect.poll(() => page.locator(".audit td.who", { hasText: "Wallboard" }).count()).toBe(0);
    await page.getByLabel("From").fill("2031-01-01T00:00");
    await page.getByText("There is no such act.").waitFor();
  });

  test("tells two people of one name apart", async () => {
    const { page } = await open("ada");
    const { people } = stage.server.identity;
    const ada = people.find(({ name }) => name === "Ada Marsh");
    if (ada) people.push({ ...ada, id: "person-ada-2", user_name: "ada2" });
    await stage.goto("/audit");
    const choices = page.locator("#audit-names option");
    const named = async (): Promise<(string | null)[]> => {
      const values = await choices.evaluateAll((options) => options.map((option) => option.getAttribute("value")));
      return values.filter((value) => value?.startsWith("Ada Marsh")).toSorted();
    };
    await expect.poll(named).toEqual(["Ada Marsh (person-ada)", "Ada Marsh (person-ada-2)"]);
    await page.getByLabel("Who").fill("Ada Marsh (person-ada-2)");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText("There is no such act.").waitFor();
  });

  test("goes from an act to what it was done to", async () => {
    const { page } = await open("ada");
    await stage.goto("/audit");
    await page.getByLabel("Outcome").selectOption("refused");
    await page.locator(".audit").getByRole("link", { name: /person\/person-fay/ }).first().click();
    await page.getByRole("heading", { name: "People", exact: true, level: 2 }).waitFor();
  });

  test("sees what Microsoft was asked for and has granted, and connects the account for presence", async () => {
    const { page } = await open("ada");
    await stage.goto("/microsoft");
    const missing = page.getByRole("row", { name: /Presence.Read.All for the application/ });
    await missing.getByText("missing").waitFor();
    await missing.getByText("without it: presence is not known").waitFor();
    await page.getByText("What to do: have the administrator consent again").waitFor();
    await page.getByRole("button", { name: "Connect an account…" }).click();
    await page.getByRole("button", { name: "Make the link" }).click();
    expect(await page.getByRole("dialog").getByLabel("Link").inputValue()).toContain("ticket=xyz");
  });

  test("is told what went wrong, in words, and may try again", async () => {
    const { page } = await open("ada");
    await stage.goto("/keys");
    await page.getByRole("button", { name: "Make a key…" }).click();
    stage.server.refusal = { status: 409, code: "of_configuration", message: "this stands in the configuration" };
    await page.getByRole("dialog").getByLabel("What for").fill("Reports");
    await page.getByRole("dialog").getByRole("button", { name: "Make the key" }).click();
    await page.getByRole("alert").getByText("this stands in the configuration file, and is changed there.").waitFor();
  });

  test("changes their password, makes a passkey, and signs in with it", async () => {
    const { page } = await open("ada");
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const;
    await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
    await stage.goto("/account", "localhost");
    await page.getByRole("button", { name: "Password…" }).click();
    await page.getByLabel("Present password").fill("wrong");
    await page.getByLabel("New password").fill("correct horse battery");
    await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
    await page.getByRole("alert").getByText("Name and password do not fit.").waitFor();
    await page.getByLabel("Present password").fill("right");
    await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
    await page.getByText("Your password is changed.").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Add a passkey…" }).click();
    await page.getByLabel("What it is called").fill("Notebook");
    await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
    await page.getByRole("row", { name: /Notebook/ }).waitFor();
    await page.getByRole("button", { name: /Ada Marsh/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    // The browser offers it beside the field of the user name, and this authenticator takes what is offered.
    await page.getByRole("heading", { name: "Be one of these people" }).waitFor();
    await page.getByRole("button", { name: /Ada Marsh Administrator · Contoso/ }).waitFor();
    await stage.isLive();
    await page.evaluate(() => (PublicKeyCredential.isConditionalMediationAvailable = async () => await Promise.resolve(false)));
    await page.getByRole("button", { name: /Ada Marsh/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("button", { name: /Ada Marsh Administrator/ }).waitFor();
    await stage.isLive();
  });
});

describe("an operator", () => {
  test("begins with the tenants, and looks at one after the other without their customers", async () => {
    const { page } = await open("otto");
    await stage.goto();
    await page.getByRole("row", { name: /Fabrikam/ }).waitFor();
    expect(await ways()).toEqual(["Tenants", "People", "Keys", "Audit"]);
    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("row", { name: /Otto Kern/ }).waitFor();
    await page.getByLabel("Tenant", { exact: true }).selectOption("Contoso");
    await page.getByRole("link", { name: "Microsoft 365" }).waitFor();
    expect(await ways()).toEqual(["Tenants", "People", "Keys", "Audit", "Microsoft 365"]);
    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("row", { name: /Ada Marsh/ }).waitFor();
    const asked = stage.server.asked.filter(({ path }) => path === "/api/v1/people");
    expect(new Set(asked.map(({ tenant }) => tenant))).toEqual(new Set(["contoso"]));
    await page.reload();
    await page.getByRole("row", { name: /Ada Marsh/ }).waitFor();
  });

  test("brings the configuration into force, and is told what came of it or what is wrong", async () => {
    const { page } = await open("otto");
    await stage.goto();
    await page.getByRole("button", { name: "Bring the configuration into force…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Bring it into force" }).click();
    await page.getByText("The configuration is in force: 1 customer came, 1 trunk came, 2 people changed.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Noted" }).click();
    const message = "agents.ada.queues: names \"sales\"";
    stage.server.office.reloaded = { status: 422, body: { code: "configuration_faulty", message, remedy: "mend the file" } };
    await page.getByRole("button", { name: "Bring the configuration into force…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Bring it into force" }).click();
    await page.getByRole("dialog").getByText("agents.ada.queues").waitFor();
  });

  test("makes the link with which a customer's administrator connects Microsoft 365", async () => {
    const { page } = await open("otto");
    await stage.goto();
    await choose("Fabrikam", "Connect Microsoft 365…");
    await page.getByRole("button", { name: "Make the link" }).click();
    expect(await page.getByRole("dialog").getByLabel("Link").inputValue()).toContain("ticket=abc");
  });
});

test("whoever looks at one of several centers says in the live greeting which", async () => {
  const { page } = await open("ada", { as: null, token: "t".repeat(32) });
  await stage.goto();
  await page.getByText("Use the key of a program").click();
  await page.getByLabel("Key", { exact: true }).fill("t".repeat(32));
  await page.keyboard.press("Enter");
  await stage.isLive();
  await page.getByLabel("Tenant", { exact: true }).selectOption("Fabrikam");
  await expect.poll(() => stage.server.greetings.at(-1)?.tenant).toBe("fabrikam");
  await stage.isLive();
});

async function choose(name: string, what: string): Promise<void> {
  await stage.page.getByRole("button", { name: `What can be done with ${name}` }).click();
  await stage.page.getByRole("menuitem", { name: what }).click();
}
