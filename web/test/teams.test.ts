/** The page inside of Teams: a host of our own around it, which answers as the Teams client does. */

import type { Browser, FrameLocator } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launch, Stage } from "./stage.ts";

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

/** Opens the page in a host that does as the query says. */
async function open(query: string): Promise<FrameLocator> {
  stage = await Stage.open(browser, { seed: 5, as: null });
  await stage.goto(`/host.html?${query}`);
  return stage.page.frameLocator("#tab");
}

async function told(): Promise<string[]> {
  return await stage.page.evaluate(() => (Reflect.get(window, "told") as { func: string }[]).map(({ func }) => func));
}

describe("a tab in Teams", () => {
  test("signs in by itself, in the theme and the language of Teams, and without a cookie", async () => {
    const tab = await open("theme=dark&locale=fr-fr&token=sam");
    await tab.locator('.live[data-state="live"]').waitFor();
    await tab.getByRole("button", { name: /Sam Okoro/ }).waitFor();
    expect(await tab.locator("html").getAttribute("lang")).toBe("fr");
    expect(await tab.locator("html").getAttribute("data-theme")).toBe("dark");
    expect(await tab.locator("html").evaluate((html) => getComputedStyle(html).colorScheme)).toBe("dark");
    expect(await stage.page.context().cookies()).toEqual([]);
    await expect.poll(told).toEqual(expect.arrayContaining(["appInitialization.appLoaded", "appInitialization.success"]));
    await stage.page.evaluate(() => (Reflect.get(window, "theme") as (name: string) => void)("default"));
    await expect.poll(() => tab.locator("html").getAttribute("data-theme")).toBe("default");
  });

  test("asks Teams again when its token has expired", async () => {
    const tab = await open("token=ada");
    await tab.locator('.live[data-state="live"]').waitFor();
    stage.server.identity.expire();
    stage.server.cut();
    await expect.poll(async () => (await told()).filter((func) => func === "authentication.getAuthToken").length).toBe(2);
    await tab.locator('.live[data-state="live"]').waitFor();
  });

  test("offers a button when Teams must ask the reader first", async () => {
    const tab = await open("refuse=resourceRequiresConsent&token=ada");
    await tab.getByText("It may have to ask you for your consent first.").waitFor();
    await tab.getByRole("button", { name: "Sign in", exact: true }).first().click();
    await tab.locator('.live[data-state="live"]').waitFor();
  });

  test("says what to do when Teams refuses", async () => {
    const tab = await open("refuse=CancelledByUser");
    await tab.getByRole("button", { name: "Sign in", exact: true }).first().click();
    await tab.getByRole("alert").getByText("Teams did not sign you in.").waitFor();
    expect(await tab.getByRole("link", { name: "Continue in the browser" }).getAttribute("href")).toBe("/");
    await expect.poll(told).toContain("appInitialization.expectedFailure");
  });

  test("says what to do when the program does not know the reader", async () => {
    stage = await Stage.open(browser, { seed: 5, as: null });
    stage.server.identity.teamsRefusal = { status: 403, code: "not_onboarded", message: "the Entra tenant is not connected" };
    await stage.goto("/host.html?token=ada");
    const tab = stage.page.frameLocator("#tab");
    await tab.getByRole("alert").getByText("Your organisation is not connected to this contact center.").waitFor();
  });

  test("goes on as in a browser when nobody answers", async () => {
    const tab = await open("silent=yes");
    await tab.getByRole("heading", { name: "Be one of these people" }).waitFor();
  });
});

test("a page in a browser loads nothing of Teams, whatever its address says", async () => {
  stage = await Stage.open(browser, { seed: 5 });
  const scripts: string[] = [];
  stage.page.on("request", (request) => scripts.push(new URL(request.url()).pathname));
  await stage.visit("/?host=teams");
  expect(scripts.filter((path) => path.endsWith(".js"))).toHaveLength(1);
  expect(stage.strangers).toEqual([]);
  expect(stage.complaints).toEqual([]);
});
