/** A stage for the page: the built page in a real browser, and behind it a made-up center whose time we move. */

import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { MockCenter, type Settings } from "../mock/center.ts";
import { MockServer } from "../mock/serve.ts";
import { PAGE } from "./build.ts";

export type StageSettings = Partial<Settings> & {
  /** How long the center has been open, in seconds. */
  openFor?: number;
  token?: string;
  /** Who is signed in when the page opens, by user name; `null` for nobody. The administrator by default. */
  as?: string | null;
  /** What the browser asks for; English by default. */
  locale?: string;
};

export class Stage {
  readonly center: MockCenter;
  readonly server: MockServer;
  readonly page: Page;
  /** What the browser complained about, violations of the content security policy included. */
  readonly complaints: string[] = [];
  /** Requests to anywhere else than the program itself. */
  readonly strangers: string[] = [];
  readonly #http: Server;
  readonly #context: BrowserContext;
  readonly #origin: string;

  private constructor(center: MockCenter, server: MockServer, http: Server, context: BrowserContext, page: Page) {
    this.center = center;
    this.server = server;
    this.page = page;
    this.#http = http;
    this.#context = context;
    this.#origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(this.#origin)) this.strangers.push(request.url());
    });
  }

  static async open(browser: Browser, settings: StageSettings = {}): Promise<Stage> {
    const { openFor = 900, token = "", locale = "en-GB", as = "ada" } = settings;
    const center = new MockCenter(settings);
    center.advance(center.now + openFor * 1e6);
    const server = new MockServer({ center, token });
    const http = serve(server);
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    const context = await browser.newContext({ locale });
    context.setDefaultTimeout(PATIENCE_MS);
    const stage = new Stage(center, server, http, context, await context.newPage());
    if (as !== null) await stage.signIn(as);
    return stage;
  }

  /** Gives the browser the cookie of somebody who has signed in before. */
  async signIn(userName: string): Promise<void> {
    const person = this.server.identity.byName(userName);
    if (!person) throw new Error(`nobody is called ${userName}`);
    const { refresh } = this.server.identity.open(person);
    const cookie = { name: "tandem_refresh", value: refresh, httpOnly: true, sameSite: "Strict" } as const;
    for (const host of ["127.0.0.1", "localhost"]) {
      await this.#context.addCookies([{ ...cookie, url: `${this.#origin.replace("127.0.0.1", host)}/auth` }]);
    }
  }

  /** Another tab of the same browser. */
  async tab(): Promise<Page> {
    return await this.#context.newPage();
  }

  /** Where the page is. */
  get origin(): string {
    return this.#origin;
  }

  /** Opens the page and waits until it is live. */
  async visit(path = "/"): Promise<void> {
    await this.page.goto(this.#origin + path);
    await this.isLive();
  }

  async isLive(): Promise<void> {
    await this.page.locator('.live[data-state="live"]').waitFor();
  }

  /** Opens the page without waiting for anything. */
  async goto(path = "/", host = "127.0.0.1"): Promise<void> {
    await this.page.goto(this.#origin.replace("127.0.0.1", host) + path);
  }

  /** Lets time pass in the center. */
  pass(seconds: number): void {
    this.server.advance(this.center.now + seconds * 1e6);
  }

  /** Stops serving, as a program that has crashed; or serves again at the same address. */
  async crash(): Promise<void> {
    this.server.cut();
    this.#http.closeAllConnections();
    await new Promise((closed) => this.#http.close(closed));
  }

  async restart(): Promise<void> {
    const port = Number(new URL(this.#origin).port);
    await new Promise<void>((listening) => this.#http.listen(port, "127.0.0.1", listening));
  }

  async close(): Promise<void> {
    await this.#context.close();
    this.server.cut();
    this.#http.closeAllConnections();
    this.#http.close();
  }
}

/** Starts the browser, with an empty profile that goes with it. */
export async function launch(): Promise<Browser> {
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ];
  try {
    return await chromium.launch({ executablePath: CHROMIUM, args });
  } catch (error) {
    const remedy = "Remedy: scripts/install-packages.sh test  (as root; it installs Debian's package chromium)";
    throw new Error(`The tests of the page need ${CHROMIUM}, and it cannot be started.\n${remedy}`, { cause: error });
  }
}

function serve(server: MockServer): Server {
  const http = createServer((request, response) => {
    if (server.request(request, response)) return;
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (HOST.has(pathname)) send(response, join(import.meta.dirname, pathname));
    else file(pathname, response);
  });
  http.on("upgrade", (request, socket, head: Buffer) => {
    if (!server.upgrade(request, socket, head)) socket.destroy();
  });
  return http;
}

/** Answers with a file of the page; an address without a dot is one of the page's own. */
function file(url: string, response: ServerResponse): void {
  send(response, join(PAGE, extname(url) === "" ? "/index.html" : url), { "Content-Security-Policy": POLICY });
}

function send(response: ServerResponse, path: string, headers: Record<string, string> = {}): void {
  try {
    const content = readFileSync(path);
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, ...headers });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

/** What plays a Teams client around the page. */
const HOST: ReadonlySet<string> = new Set(["/host.html", "/host.js"]);

/** Debian's browser. */
const CHROMIUM = "/usr/bin/chromium";

/** Stricter than what the program sends: what works here works there. */
const POLICY = "default-src 'self'; media-src blob:; base-uri 'none'; object-src 'none'";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** How long anything may take to show; far more than it should, for machines that have much else to do. */
const PATIENCE_MS = 20_000;
