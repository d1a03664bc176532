/** The page in a browser: what is seen, heard and done there. */

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { digits } from "../src/i18n/words.ts";
import { figuresOf } from "../src/floor/figures.ts";
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
    const before = await clock.textContent();
    await expect.poll(async () => await clock.textContent(), { timeout: 10_000 }).not.toBe(before);
    expect(await page.evaluate(() => Reflect.get(window, "touched") as unknown)).toEqual([]);
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
    expect(await page.locator("tbody tr").count()).toBe(48);
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
    expect(new URL(page.url()).pathname).toBe(`/calls/${id}`);
    await page.keyboard.press("Escape");
    await story.waitFor({ state: "hidden" });
    expect(new URL(page.url()).pathname).toBe("/");
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
    const told = `The state of ${agent.name} was not set: there is no such agent.`;
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

describe("the token", () => {
  const token = "t".repeat(32);

  test("is asked for when the program demands one, and kept for the tab", async () => {
    const { page } = await open({ token });
    await stage.goto();
    await page.getByRole("textbox", { name: "Token" }).fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The program does not accept this token.").waitFor();
    await page.getByRole("textbox", { name: "Token" }).fill(token);
    await page.keyboard.press("Enter");
    await stage.isLive();
    await page.reload();
    await stage.isLive();
    await page.locator(".agents button.act").first().click();
    await page.getByRole("menuitemradio", { name: "Break" }).click();
    await page.locator(".agents").getByText("Break").first().waitFor();
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
