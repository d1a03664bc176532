// The sandbox's page of people in a real browser: by mouse, by keyboard, in both languages, and with the accessibility
// checks of axe. Started by a test of the sandbox.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

const { SANDBOX_HTTP } = process.env;
const CHROMIUM = "/usr/bin/chromium";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;

before(async () => {
  try {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  } catch (error) {
    throw new Error(`${CHROMIUM} cannot be started; as root: scripts/install-packages.sh test`, { cause: error });
  }
});
after(async () => { await browser?.close(); });

// The page for one person, and everything that the browser complained about.
async function open(hash = "", locale = "en-GB", colorScheme = "light") {
  const context = await browser.newContext({ locale, colorScheme });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => { complaints.push(error.message); });
  page.on("request", (request) => {
    if (!request.url().startsWith(SANDBOX_HTTP)) complaints.push(`a request to ${request.url()}`);
  });
  await page.goto(`${SANDBOX_HTTP}/${hash}`);
  await page.getByRole("navigation").getByRole("button").first().waitFor();
  return { page, complaints, close: () => context.close() };
}

async function presence(user) {
  return (await fetch(`${SANDBOX_HTTP}/sandbox/people/${user}/presence`)).json();
}

test("choose somebody, choose a presence: two clicks", async () => {
  const { page, complaints, close } = await open();
  await page.getByRole("button", { name: "Béla Varga" }).click();
  await page.getByRole("heading", { name: "Béla Varga" }).waitFor();
  const quiet = page.getByRole("group", { name: "What the person chooses" }).getByRole("button", { name: "Do not disturb" });
  await quiet.click();
  await page.getByRole("status").getByText("Béla Varga: Do not disturb").waitFor();
  await page.locator('button[data-choice="do_not_disturb"][aria-pressed="true"]').waitFor();
  assert.equal((await presence("bela")).shown.availability, "DoNotDisturb");
  await page.getByLabel("Status message").fill("With a customer");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("status").getByText("Saved.").waitFor();
  assert.equal((await presence("bela")).status_message, "With a customer");
  assert.deepEqual(complaints, []);
  await close();
});

test("what changes elsewhere is shown without a touch", async () => {
  const { page, close } = await open("#chidi");
  await page.getByRole("heading", { name: "Chidi Okafor" }).waitFor();
  const body = JSON.stringify({ choice: "in_a_meeting" });
  const headers = { "content-type": "application/json" };
  await fetch(`${SANDBOX_HTTP}/sandbox/people/chidi/presence`, { method: "PUT", headers, body });
  await page.locator("#now").getByText("In a meeting").waitFor();
  await close();
});

test("the keyboard is enough", async () => {
  const { page, close } = await open();
  await page.getByRole("searchbox").fill("hana");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Hana Suzuki" }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.locator("#now").getByText("Busy").waitFor();
  assert.equal((await presence("hana")).shown.availability, "Busy");
  await close();
});

test("it speaks French, and keeps to it", async () => {
  const { page, close } = await open("#hana", "fr-FR");
  assert.equal(await page.locator("html").getAttribute("lang"), "fr");
  await page.getByRole("button", { name: "Disponible" }).last().waitFor();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Teams people" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Teams people" }).waitFor();
  await close();
});

test("both tables of words have the same keys", () => {
  const source = readFileSync(new URL("../../crates/sandbox/assets/people.js", import.meta.url), "utf8");
  const table = source.slice(source.indexOf("const WORDS"), source.indexOf("const CHOICES"));
  const words = new Function(`${table}; return WORDS;`)();
  const keys = (value) => Object.entries(value).map(([key, inner]) => (typeof inner === "object" ? [key, keys(inner)] : key));
  assert.deepEqual(keys(words.fr), keys(words.en));
});

test("consent is given and withdrawn", async () => {
  const { page, close } = await open();
  await page.getByRole("button", { name: "Give consent: Tandem, Fabrikam" }).click();
  await page.getByRole("button", { name: "Withdraw consent: Tandem, Fabrikam" }).click();
  await page.getByRole("button", { name: "Give consent: Tandem, Fabrikam" }).waitFor();
  await close();
});

for (const scheme of ["light", "dark"]) {
  test(`axe finds nothing in the ${scheme}`, async () => {
    const { page, close } = await open("#alice", "en-GB", scheme);
    await page.getByRole("heading", { name: "Alice Reyes" }).waitFor();
    await page.evaluate(AXE);
    const { violations } = await page.evaluate("axe.run()");
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
    await close();
  });
}
