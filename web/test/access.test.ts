/** Whether everybody can use the page: the rules of axe in all the forms that the page takes. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, Stage } from "./stage.ts";

type Axe = { run(options: { resultTypes: string[] }): Promise<AxeResults> };

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Every width in light and dark; the languages share them, for what differs between them is only text. */
const FORMS = [
  ["en", "light", 1280],
  ["en", "light", 390],
  ["en", "dark", 1920],
  ["en", "dark", 320],
  ["fr", "light", 1920],
  ["fr", "light", 320],
  ["fr", "dark", 1280],
  ["fr", "dark", 390],
] as const;

/** Who looks at what, beside the floor; each in another width. */
const VIEWS = [
  [null, "/", 1280],
  [null, "/setup#", 320],
  ["gus", "/work", 390],
  ["eve", "/experts", 768],
  ["ada", "/people", 1280],
  ["ada", "/keys", 320],
  ["ada", "/webhooks", 390],
  ["ada", "/audit", 768],
  ["ada", "/microsoft", 320],
  ["ada", "/account", 390],
  ["otto", "/tenants", 1280],
] as const;

describe.each(["en", "fr"] as const)("in %s", (locale) => {
  let browser: Browser;
  let stage: Stage;

  beforeAll(async () => {
    browser = await launch();
    stage = await Stage.open(browser, { seed: 5, agents: 8, callsPerMinute: 8, locale, openFor: 1_200 });
  });

  afterAll(async () => {
    await stage.close();
    await browser.close();
  });

  test.each(FORMS.filter(([language]) => language === locale))("%s, %s, %i pixels wide", async (_, scheme, width) => {
    await look(scheme, width);
    await stage.visit();
    await stage.page.locator(".recent tbody tr").first().waitFor();
    expect(await findings()).toEqual([]);
  });

  test.each(["light", "dark"] as const)("%s, with a story open", async (scheme) => {
    await look(scheme, 1280);
    await stage.visit(`/calls/${stage.center.view.recent[0]?.interaction}`);
    await stage.page.locator(".timeline li").first().waitFor();
    await stage.page.locator(".asks button:visible").last().click();
    await stage.page.locator(".ask .empty, .ask .found").first().waitFor();
    expect(await findings()).toEqual([]);
  });

  test.each(["light", "dark"] as const)("%s, with the menu of states open", async (scheme) => {
    await look(scheme, 390);
    await stage.visit();
    await stage.page.locator(".agents button.act").first().click();
    await stage.page.getByRole("menu").waitFor();
    expect(await findings()).toEqual([]);
  });

  test.each(VIEWS)("what %s sees at %s, %i pixels wide", async (as, path, width) => {
    const other = await Stage.open(browser, { seed: 5, agents: 8, callsPerMinute: 8, locale, as });
    await other.page.setViewportSize({ width, height: 900 });
    await other.goto(path);
    await other.page.locator("main h2").first().waitFor();
    await expect.poll(() => other.page.locator('[aria-busy="true"]').count()).toBe(0);
    expect(await other.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    for (const colorScheme of ["light", "dark"] as const) {
      await other.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await findings(other), colorScheme).toEqual([]);
    }
    await other.close();
  });

  test("when it is not live, and an agent's state was refused", async () => {
    await stage.visit();
    stage.server.refusal = { status: 503, code: "overloaded", message: "try again in a second" };
    await stage.page.locator(".agents button.act").first().click();
    await stage.page.getByRole("menuitemradio").first().click();
    await stage.page.locator(".refusal").waitFor();
    await stage.crash();
    await stage.page.locator('.live[data-state="lost"]').waitFor();
    expect(await findings()).toEqual([]);
  });

  test("in the colours that somebody's system forces", async () => {
    await stage.restart();
    await stage.page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
    await stage.visit();
    expect(await findings()).toEqual([]);
  });

  async function look(colorScheme: "light" | "dark", width: number): Promise<void> {
    await stage.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await stage.page.setViewportSize({ width, height: 900 });
  }

  async function findings({ page } = stage): Promise<string[]> {
    await page.evaluate(AXE);
    const results = await page.evaluate(
      async () => await (Reflect.get(window, "axe") as Axe).run({ resultTypes: ["violations"] }),
    );
    return results.violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
  }
});
