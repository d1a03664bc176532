/** The page in a browser: what is seen, heard and done there. */

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { digits } from "../src/i18n/words.ts";
import type { InteractionView } from "../src/api/center.ts";
import { figuresOf } from "../src/floor/figures.ts";
import { waitingIn } from "../src/floor/waiting.ts";
import { launch, Stage, type StageSettings } from "./stage.ts";

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
});

async function open(settings: StageSettings = {}): Promise<Stage> {
  stage = await Stage.open(browser, { seed: 5, ...settings });
  return stage;
}

afterEach(async () => {
  await stage.close();
});

describe("what is seen", () => {
  test("is the state of the center, and then what happens in it", async () => {
    const { page } = await open({ callsPerMinute: 12 });
    await stage.visit();
    await showsFigures();
    for (let step = 0; step < 5; step += 1) {
      stage.pass(20);
      await showsFigures();
    }
    expect(await page.title()).toBe(`${figuresOf(stage.center.view).waiting} waiting · Tandem`);
  });

  test("needs nothing from anywhere else, and nothing that the policy forbids", async () => {
    const { page } = await open();
    await stage.visit();
    await page.locator(".agents button.act").first().click();
    await page.keyboard.press("Escape");
    await page.locator(".recent button.name").first().click();
    stage.pass(60);
    expect(stage.strangers).toEqual([]);
    expect(stage.complaints).toEqual([]);
  });

  test("goes on by the second, and touches nothing but the times", async () => {
    const { page } = await open({ callsPerMinute: 12 });
    await stage.visit();
    await page.locator(".queues").getByText("per call").first().waitFor();
    const clock = page.locator(".calls [data-since]").first();
    await page.evaluate(() => {
      const touched: string[] = [];
      Object.assign(window, { touched });
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const element = target instanceof Element ? target : target.parentElement;
          if (!element?.matches("[data-since], [data-until]")) touched.push(element?.outerHTML ?? "");
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    const touchedInASecond = async () => {
      await page.evaluate(() => (Reflect.get(window, "touched") as string[]).splice(0));
      const before = await clock.textContent();
      await expect.poll(async () => await clock.textContent(), { timeout: 10_000 }).not.toBe(before);
      return await page.evaluate(() => Reflect.get(window, "touched") as unknown);
    };
    // Now and then figures are asked for and change more: not every second.
    await expect.poll(touchedInASecond, { timeout: 30_000 }).toEqual([]);
  });

  test("is no wider than the window", async () => {
    const { page } = await open({ callsPerMinute: 12, locale: "fr-FR" });
    await stage.visit();
    for (const width of [320, 360, 768, 1280, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `at ${width}`).toBe(width);
    }
  });

  test("does not move for those who do not want it to", async () => {
    const { page } = await open({ callsPerMinute: 12 });
    await page.emulateMedia({ reducedMotion: "reduce" });
    await stage.visit();
    stage.pass(30);
    await showsFigures();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });
});

describe("a center of 1,000 agents with 1,000 waiting", () => {
  beforeEach(async () => {
    await open({ agents: 1_000, callsPerMinute: 800, talkSeconds: 150, patienceSeconds: 3_600, openFor: 260 });
    await stage.visit();
  });

  test("is counted in full and shown in part", async () => {
    const { page, center } = stage;
    expect(figuresOf(center.view).waiting).toBeGreaterThan(1_000);
    await showsFigures();
    stage.pass(5);
    await showsFigures();
    expect(await page.locator("tbody tr").count()).toBe(51);
    await page.locator(".waiting").getByRole("button", { name: "Show 24 more" }).click();
    expect(await page.locator(".waiting tbody tr").count()).toBe(36);
    await page.locator(".waiting").getByRole("button", { name: "Show fewer" }).click();
    expect(await page.locator(".waiting tbody tr").count()).toBe(12);
  });

  test("lets an agent be found by name, without regard to accents and capitals", async () => {
    const { page, center } = stage;
    await page.getByLabel("Find an agent").fill("adele alm");
    const names = Object.values(center.view.live.agents).map(({ name }) => name);
    const wanted = names.filter((name) => name === "Adèle Almeida").length;
    await expect.poll(() => page.locator(".agents tbody tr").count()).toBe(Math.min(12, wanted));
    expect(new Set(await page.locator(".agents tbody .name").allTextContents())).toEqual(new Set(["Adèle Almeida"]));
  });

  test("shows only the agents in one state when asked to", async () => {
    const { page } = stage;
    await page.locator(".agents .filter").getByText("Away").click();
    const states = await page.locator(".agents tbody .chip").allTextContents();
    expect(states.length).toBeGreaterThan(0);
    for (const state of states) expect(state).toMatch(/Break|Missed|Declined|Telephone/);
  });
});

describe("the story of a call", () => {
  test("opens and closes by keyboard, and gives the focus back", async () => {
    const { page } = await open();
    await stage.visit();
    const caller = page.locator(".recent button.name").first();
    await caller.focus();
    await page.keyboard.press("Enter");
    const story = page.getByRole("dialog");
    await story.getByText("The interaction is closed and counted as").waitFor();
    const id = stage.center.view.recent[0]?.interaction;
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/calls/${id}`);
    await page.keyboard.press("Escape");
    await story.waitFor({ state: "hidden" });
    await expect.poll(() => new URL(page.url()).pathname).toBe("/");
    expect(await caller.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  test("closes when the reader goes back, and opens from its address", async () => {
    const { page } = await open();
    await stage.visit();
    await page.locator(".recent button.name").first().click();
    await page.getByRole("dialog").waitFor();
    await page.goBack();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.goForward();
    await page.getByRole("dialog").waitFor();
    await page.reload();
    await page.getByRole("dialog").getByText("The call is answered.").waitFor();
  });

  test("goes on while the call does", async () => {
    const { page, center } = await open({ callsPerMinute: 12 });
    await stage.visit();
    await page.locator(".calls button.name").first().click();
    const id = Number(new URL(page.url()).pathname.split("/")[2]);
    const entries = page.locator(".timeline li");
    const before = await entries.count();
    while (center.view.stories[id]?.length === before) stage.pass(1);
    await expect.poll(() => entries.count()).toBeGreaterThan(before);
  });

  test("is fetched when the call has long been over", async () => {
    const { page, center } = await open({ openFor: 7_200 });
    const shown = new Set(center.view.recent.map(({ interaction }) => interaction));
    let old = 0;
    while (!center.story(old) || shown.has(old)) old += 1;
    await stage.visit(`/calls/${old}`);
    await expect.poll(() => page.locator(".timeline li").count()).toBe(center.story(old)?.length);
  });

  test("says when there is no such call", async () => {
    const { page } = await open();
    await stage.visit("/calls/999999999");
    await page.getByText("There is no call with this number.").waitFor();
  });
});

describe("who waits", () => {
  const busy = { agents: 4, callsPerMinute: 12, patienceSeconds: 900 };

  test("stands in the order in which the center serves, with what is special", async () => {
    const { page, center } = await open(busy);
    await stage.visit();
    const waiting = waitingIn(center.view);
    const places = await page.locator(".waiting tbody tr:not(.later) .place").allTextContents();
    expect(places).toEqual(waiting.slice(0, 12).map(({ place }) => String(place)));
    const isFirst = waiting.findIndex(({ call }) => !call.vip);
    expect(waiting.slice(isFirst).some(({ call }) => call.vip)).toBe(false);
    const tags = await page.locator(".waiting .tag").allTextContents();
    expect(tags.some((tag) => /callback|message of|priority|VIP/.test(tag))).toBe(true);
  });

  test("is put before all others by keyboard, and a refusal is told where it was asked", async () => {
    const { page, center } = await open(busy);
    await stage.visit();
    const last = waitingIn(center.view).slice(0, 12).findLast(({ call }) => call.stage === "waiting" && !call.vip);
    const row = page.locator(`.waiting tbody tr`).nth(waitingIn(center.view).findIndex(({ id }) => id === last?.id));
    stage.server.refusal = { status: 409, code: "not_waiting", message: "" };
    await row.locator("button.act").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Change the priority" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Priority of" });
    await dialog.getByLabel("Before everybody else").check();
    await dialog.getByLabel("Reason").fill("Promised by the director");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").getByText("nobody waits there any more.").waitFor();
    stage.server.refusal = undefined;
    await dialog.getByRole("button", { name: "Change" }).click();
    await dialog.waitFor({ state: "hidden" });
    await expect.poll(() => waitingIn(center.view).find(({ id }) => id === last?.id)?.call.vip).toBe(true);
    expect(center.story(last?.id ?? 0)?.at(-1)).toMatchObject({ kind: "prioritised", why: "Promised by the director" });
  });

  test("can be moved, and assigned to an agent of the queue", async () => {
    const { page, center } = await open(busy);
    await stage.visit();
    const [index, first] = [...waitingIn(center.view).entries()].find(([, { call }]) => call.stage === "waiting") ?? [];
    const button = page.locator(".waiting tbody tr").nth(index ?? 0).locator("button.act");
    await button.click();
    await page.getByRole("menuitem", { name: "Assign" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Assign" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    const now = (): InteractionView | undefined => center.view.live.interactions[first?.id ?? 0];
    await expect.poll(() => JSON.stringify(now())).toContain('"terms":[{"agent"');
    await button.click();
    await page.getByRole("menuitem", { name: "Move" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await expect.poll(() => center.story(first?.id ?? 0)?.map(({ kind }) => kind)).toContain("queue_left");
  });

  test("says whom to ask about it, and why they, in the reader's language", async () => {
    const { page } = await open({ ...busy, locale: "fr-FR" });
    await stage.visit();
    await page.locator(".waiting button.act").first().click();
    await page.getByRole("menuitem", { name: "Pourquoi" }).click();
    await page.getByRole("button", { name: "À qui demander ?" }).click();
    const whom = page.getByRole("region", { name: "À qui demander" });
    await whom.getByText(/^A résolu 3 appels de Support, le dernier le /).waitFor();
    await whom.getByText("Connaît network, niveau 4 sur 5").waitFor();
    await whom.getByText(/^Libre dans 20.s$/).waitFor();
    await whom.getByText(/^présente son écran · il y a 1.min 4.s$/).waitFor();
    await whom.getByRole("button", { name: "Fermer les suggestions" }).click();
    await whom.waitFor({ state: "hidden" });
  });

  test("is explained, in the reader's language", async () => {
    const { page } = await open({ ...busy, locale: "fr-FR" });
    await stage.visit();
    await page.locator(".waiting button.act").first().click();
    await page.getByRole("menuitem", { name: "Pourquoi" }).click();
    const why = page.getByRole("region", { name: "Pourquoi l’attente continue" });
    await why.getByText(/^Place 1 sur/).waitFor();
    expect(await why.locator("dt").count()).toBeGreaterThan(0);
    await why.getByRole("button", { name: "Fermer l’explication" }).click();
    await why.waitFor({ state: "hidden" });
  });

  test("can be called later, and that can be cancelled", async () => {
    const { page, center } = await open();
    await stage.visit();
    await page.getByRole("button", { name: "Schedule a callback" }).click();
    const dialog = page.getByRole("dialog", { name: "Schedule a callback" });
    await dialog.getByLabel("Telephone number").fill("+33 1 99 00 12 34");
    await dialog.getByLabel("Name").fill("Zoé Zimmer");
    const tomorrow = new Date(center.now / 1000 + 86_400_000).toISOString().slice(0, 16);
    await dialog.getByLabel("When").fill(tomorrow);
    await dialog.getByRole("button", { name: "Schedule" }).click();
    const row = page.locator(".waiting tr.later").filter({ hasText: "Zoé Zimmer" });
    await row.getByText("To be called later").waitFor();
    await row.locator("button.act").click();
    await page.getByRole("menuitem", { name: "Cancel the callback" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Do not call back" }).click();
    await row.waitFor({ state: "hidden" });
    await page.locator(".recent").getByText("Cancelled").waitFor();
  });
});

describe("a queue", () => {
  test("is closed and opened again, and says how it chooses", async () => {
    const { page, center } = await open();
    await stage.visit();
    const row = page.locator(".queues tbody tr").filter({ hasText: "Support" });
    await row.getByText("most skilled first").waitFor();
    const toggle = row.getByRole("switch", { name: "The queue Support lets callers in" });
    expect(await toggle.getAttribute("aria-checked")).toBe("true");
    await toggle.click();
    await page.getByRole("dialog").getByRole("button", { name: "Close the queue" }).click();
    await row.getByText("Closed").waitFor();
    expect(center.view.live.queues["support"]?.closed).toBe(true);
    await toggle.click();
    await page.getByRole("dialog").getByRole("button", { name: "Open the queue" }).click();
    await row.getByText("Open", { exact: true }).waitFor();
  });
});

describe("a message", () => {
  test("can be heard from its story", async () => {
    const { page, center } = await open({ agents: 4, callsPerMinute: 12, patienceSeconds: 900 });
    const left = Object.entries(center.view.live.interactions).find(([, call]) => call.message);
    await stage.visit(`/calls/${left?.[0]}`);
    await page.getByRole("button", { name: "Play the message" }).click();
    await page.locator(".player audio").waitFor();
    await expect.poll(() => page.locator(".player audio").evaluate((sound: HTMLAudioElement) => sound.duration)).toBe(1);
    expect(stage.complaints).toEqual([]);
  });
});

describe("an offer", () => {
  test("is explained from the story", async () => {
    const { page } = await open();
    await stage.visit();
    await page.locator(".recent tr").filter({ hasText: "Handled" }).locator("button.name").first().click();
    await page.getByRole("button", { name: "Why this agent?" }).first().click();
    await page.locator(".why").getByText("Free and fit, in this order").waitFor();
  });
});

describe("a wrap-up", () => {
  test("takes a code and a note, and more time", async () => {
    const { page, center } = await open({ callsPerMinute: 12 });
    await stage.visit();
    const [id, agent] = agentIn("wrap_up");
    const button = page.getByRole("button", { name: `Set the state of ${agent.name}` });
    await button.click();
    await page.getByRole("menuitem", { name: "More time" }).click();
    await page.getByText(`${agent.name} has more time`).waitFor({ state: "attached" });
    await button.click();
    await page.getByRole("menuitem", { name: "End the wrap-up" }).click();
    const dialog = page.getByRole("dialog", { name: "Wrap-up of" });
    await dialog.getByLabel("What was it about?").selectOption("Complaint");
    await dialog.getByLabel("Note").fill("Wants a letter");
    await dialog.getByRole("button", { name: "End the wrap-up" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect(center.view.live.agents[id]?.state).not.toBe("wrap_up");
    const ended = center.view.recent.flatMap(({ story }) => story).find((fact) => "code" in fact);
    expect(ended).toMatchObject({ kind: "wrap_up_ended", code: "complaint", note: "Wants a letter" });
  });
});

describe("an agent's state", () => {
  test("is set by keyboard", async () => {
    const { page, center } = await open();
    await stage.visit();
    const [id, agent] = agentIn("available");
    const button = page.getByRole("button", { name: `Set the state of ${agent.name}` });
    await button.focus();
    await page.keyboard.press("Enter");
    const menu = page.getByRole("menu", { name: `State of ${agent.name}` });
    await menu.waitFor();
    expect(await page.getByRole("menuitemradio", { name: "Available" }).getAttribute("aria-checked")).toBe("true");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await menu.waitFor({ state: "hidden" });
    const row = page.getByRole("row").filter({ hasText: agent.name }).filter({ hasText: "Break" });
    await row.waitFor();
    expect(center.view.live.agents[id]?.state).toBe("break");
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.getByText(`${agent.name}: Break`, { exact: true }).waitFor({ state: "attached" });
  });

  test("that was chosen during a call comes after it, and the page says so", async () => {
    const { page } = await open({ callsPerMinute: 12 });
    await stage.visit();
    const [, agent] = agentIn("in_conversation");
    await page.getByRole("button", { name: `Set the state of ${agent.name}` }).click();
    await page.getByText("comes into force after the call").waitFor();
    await page.getByRole("menuitemradio", { name: "Offline" }).click();
    await page.getByRole("row").filter({ hasText: agent.name }).getByText("Next: Offline").waitFor();
  });

  test("that was refused stays, and the reason is told", async () => {
    const { page } = await open();
    await stage.visit();
    stage.server.refusal = { status: 404, code: "not_found", message: "there is no agent" };
    const [, agent] = agentIn("available");
    await page.getByRole("button", { name: `Set the state of ${agent.name}` }).click();
    await page.getByRole("menuitemradio", { name: "Offline" }).click();
    const told = `The state of ${agent.name} was not set: it no longer exists.`;
    await page.locator(".refusal").getByText(told).waitFor();
    expect(await page.getByRole("alert").filter({ hasText: told }).count()).toBe(1);
    await page.locator(".refusal").getByRole("button", { name: "Close" }).click();
    await page.locator(".refusal").waitFor({ state: "hidden" });
  });
});

describe("the connection", () => {
  test("that was lost is told, and comes back", async () => {
    const { page } = await open({ callsPerMinute: 12 });
    await stage.visit();
    await stage.crash();
    await page.locator('.live[data-state="lost"]').waitFor();
    await page.locator(".banner").getByText("Not live: the connection was lost.").waitFor();
    stage.pass(60);
    await stage.restart();
    await page.getByRole("button", { name: "Try now" }).click();
    await stage.isLive();
    await page.getByText("The view is live again.").waitFor({ state: "attached" });
    await showsFigures();
  });

  test("that missed facts begins again and is right", async () => {
    await open({ callsPerMinute: 12 });
    await stage.visit();
    stage.center.advance(stage.center.now + 30e6);
    stage.pass(30);
    await showsFigures();
  });

  test("that never came about is told", async () => {
    const { page } = await open();
    await stage.visit();
    await stage.page.route("**/live", (route) => route.abort());
    await page.routeWebSocket("**/live", (socket) => socket.close());
    await page.reload();
    await page.getByText("Not live: the program does not answer. Trying again.").first().waitFor();
  });
});

describe("the language", () => {
  test("is the browser's, and can be changed for good", async () => {
    const { page } = await open({ locale: "fr-CA" });
    await stage.visit();
    expect(await page.locator("html").getAttribute("lang")).toBe("fr");
    await page.getByRole("heading", { name: "Derniers appels" }).waitFor();
    await page.getByLabel("Langue").selectOption("en");
    await page.getByRole("heading", { name: "Last calls" }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    await showsFigures();
    await page.reload();
    await page.getByRole("heading", { name: "Last calls" }).waitFor();
  });
});

/** Waits until the page shows what the center is. */
async function showsFigures(): Promise<void> {
  const { page, center } = stage;
  const { waiting, inProgress, agents, answered, abandoned } = figuresOf(center.view);
  const numbers = [waiting, agents.free, answered, abandoned, waiting, inProgress];
  const wanted = numbers.map((number) => number.toLocaleString("en-GB"));
  const places = [
    ".waiting-now .value",
    ".free .value",
    ".answered .value",
    ".abandoned .value",
    ".waiting .count",
    ".calls .count",
  ];
  const shown = (): Promise<string[]> => {
    return page.evaluate((all) => all.map((place) => document.querySelector(place)?.textContent ?? ""), places);
  };
  await expect.poll(shown, { timeout: 10_000 }).toEqual(wanted);
  const [last] = center.view.recent;
  const connected = last?.story.find((fact) => fact.kind === "connected");
  if (connected) expect(await page.locator(".recent tbody tr").first().textContent()).toContain(digits(connected.waited_us));
}

/** An agent in this state. */
function agentIn(state: string): [string, { name: string }] {
  const found = Object.entries(stage.center.view.live.agents)
    .toSorted(([, a], [, b]) => a.name.localeCompare(b.name))
    .slice(0, 12)
    .find(([, agent]) => agent.state === state);
  if (!found) throw new Error(`no agent is ${state} in this center`);
  return found;
}
