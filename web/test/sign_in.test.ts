/** Signing in, staying in, signing out, in a browser. */

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

async function open(settings: StageSettings = {}): Promise<Stage> {
  stage = await Stage.open(browser, { seed: 5, as: null, ...settings });
  return stage;
}

/** Gives the browser a device that makes passkeys, and does all that is asked of it. */
async function authenticator(): Promise<void> {
  const cdp = await stage.page.context().newCDPSession(stage.page);
  await cdp.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const;
  await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
}

describe("signing in", () => {
  test("takes one click in a demo, where people stand under their tenants", async () => {
    const { page } = await open();
    await stage.goto("/calls/1");
    await page.getByRole("heading", { name: "Fabrikam" }).waitFor();
    await page.getByRole("region", { name: "Contoso" }).getByRole("button", { name: "Sam Okoro Supervisor" }).click();
    await stage.isLive();
    expect(new URL(page.url()).pathname).toBe("/calls/1");
    await page.getByRole("button", { name: /Sam Okoro/ }).waitFor();
    await page.reload();
    await stage.isLive();
  });

  test("takes a name and a password, and says when they do not fit", async () => {
    const { page } = await open();
    stage.server.identity.isDemo = false;
    await stage.goto();
    await page.getByLabel("User name").fill("ada");
    await page.getByLabel("Password").fill("something else");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Name and password do not fit.").waitFor();
    await page.getByLabel("Password").fill("ada opens the door");
    await page.keyboard.press("Enter");
    await stage.isLive();
  });

  test("goes by Microsoft where that is set up, and comes back to where one was", async () => {
    const { page } = await open();
    await stage.goto("/people");
    const link = page.getByRole("link", { name: "Sign in with Microsoft" });
    expect(await link.getAttribute("href")).toBe("/auth/entra/start?return=%2Fpeople");
    stage.server.identity.methods.entra = false;
    await page.reload();
    await page.getByRole("heading", { name: "Be one of these people" }).waitFor();
    expect(await link.count()).toBe(0);
  });

  test("is in the reader's language", async () => {
    const { page } = await open({ locale: "fr-FR" });
    await stage.goto();
    await page.getByRole("heading", { name: "Devenir l’une de ces personnes" }).waitFor();
    await page.getByLabel("Langue").selectOption("en");
    await page.getByRole("heading", { name: "Be one of these people" }).waitFor();
  });

  test("is possible with the key of a program, which is kept for the tab", async () => {
    const { page } = await open({ token: "t".repeat(32) });
    await stage.goto();
    await page.getByText("Use the key of a program").click();
    await page.getByLabel("Key", { exact: true }).fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("The program does not accept this key.").waitFor();
    await page.getByText("Use the key of a program").click();
    await page.getByLabel("Key", { exact: true }).fill("t".repeat(32));
    await page.keyboard.press("Enter");
    await stage.isLive();
    await page.reload();
    await stage.isLive();
  });
});

describe("the first person", () => {
  test("is let in by the code of the link, which does not stay in the address", async () => {
    const { page } = await open();
    await stage.goto("/setup#AAAAA-BBBBB");
    await page.getByLabel("Name", { exact: true }).fill("Ada Marsh");
    expect(page.url()).not.toContain("AAAAA");
    await page.getByLabel("User name").fill("ada");
    await page.getByLabel("New password").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await stage.isLive();
  });

  test("is told when the code is wrong", async () => {
    const { page } = await open();
    await stage.goto("/setup#CCCCC");
    await page.getByLabel("Name", { exact: true }).fill("Ada Marsh");
    await page.getByLabel("User name").fill("ada");
    await page.getByLabel("New password").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("this is not the code").waitFor();
  });
});

test("an invitation sets a password and signs in", async () => {
  const { page } = await open();
  await stage.goto("/invitation#invited-1");
  await page.getByLabel("New password").fill("correct horse battery");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /Eve Roux/ }).waitFor();
});

describe("a passkey", () => {
  test("is offered to the first person instead of a password", async () => {
    const { page } = await open();
    await authenticator();
    await stage.goto("/setup#AAAAA-BBBBB", "localhost");
    await page.getByRole("button", { name: "Make a passkey" }).click();
    // Who it is for is asked first.
    expect(await page.getByLabel("Name", { exact: true }).evaluate((field) => field.matches(":invalid:focus"))).toBe(true);
    await page.getByLabel("Name", { exact: true }).fill("Ada Marsh");
    await page.getByLabel("User name").fill("ada");
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await stage.isLive();
  });

  test("takes an invitation, and a browser that makes none says so", async () => {
    const { page } = await open();
    await authenticator();
    await stage.goto("/invitation#invited-1", "localhost");
    await page.evaluate(() => {
      const make = navigator.credentials.create.bind(navigator.credentials);
      navigator.credentials.create = async () => {
        navigator.credentials.create = make;
        return await Promise.reject(new Error("the reader does not want to"));
      };
    });
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.getByRole("alert").getByText("No passkey was made.").waitFor();
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.getByRole("button", { name: /Eve Roux/ }).waitFor();
  });
});

describe("a login", () => {
  test("goes on when its token has expired: the request is made again, and the live view told", async () => {
    const { page } = await open({ as: "ada" });
    await stage.visit();
    stage.server.identity.expire();
    await page.locator(".agents button.act").first().click();
    await page.getByRole("menuitemradio", { name: "Break" }).click();
    await page.locator(".agents").getByText("Break").first().waitFor();
    await expect.poll(() => new Set(stage.server.greetings.map(({ token }) => token)).size).toBe(2);
  });

  test("gets its next token before the first one expires", async () => {
    await open({ as: "ada" });
    stage.server.identity.expiresIn_s = 2;
    await stage.visit();
    await expect.poll(() => stage.server.greetings.length, { timeout: 15_000 }).toBeGreaterThan(1);
  });

  test("that was revoked ends wherever it is, and says so", async () => {
    const { page } = await open({ as: "ada" });
    await stage.visit();
    stage.server.identity.revoke();
    stage.server.cut();
    await page.getByText("You are no longer signed in. Please sign in again.").waitFor();
    expect(await page.locator(".live").count()).toBe(0);
  });

  test("is one for all tabs: none disturbs another, and all end together", async () => {
    const { page } = await open({ as: "sam" });
    const other = await stage.tab();
    await Promise.all([stage.goto(), other.goto(stage.origin)]);
    await stage.isLive();
    await other.locator('.live[data-state="live"]').waitFor();
    stage.server.identity.expire();
    stage.server.cut();
    await stage.isLive();
    await other.locator('.live[data-state="live"]').waitFor();
    await other.getByRole("button", { name: /Sam Okoro/ }).click();
    await other.getByRole("menuitem", { name: "Sign out" }).click();
    await other.getByRole("heading", { name: "Be one of these people" }).waitFor();
    await page.getByRole("heading", { name: "Be one of these people" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Be one of these people" }).waitFor();
  });
});
