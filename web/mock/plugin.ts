/** `npm run mock`: the development server with a made-up center behind it, in real time. */

import type { Plugin, ViteDevServer } from "vite";
import { MockCenter, type Settings } from "./center.ts";
import { MockServer } from "./serve.ts";

/** What can be asked for in the environment, as numbers: `TANDEM_MOCK_AGENTS=1000 npm run mock`. */
const ASKED: Record<string, keyof Settings> = {
  TANDEM_MOCK_SEED: "seed",
  TANDEM_MOCK_AGENTS: "agents",
  TANDEM_MOCK_CALLS_PER_MINUTE: "callsPerMinute",
  TANDEM_MOCK_TALK_SECONDS: "talkSeconds",
  TANDEM_MOCK_PATIENCE_SECONDS: "patienceSeconds",
};

export function mock(): Plugin {
  return { name: "tandem-mock", configureServer: serve };
}

function serve({ middlewares, httpServer }: ViteDevServer): void {
  const center = new MockCenter({ ...asked(), at: now() - LEAD_US });
  center.advance(now());
  const server = new MockServer({ center });
  const timer = setInterval(() => server.advance(now()), STEP_MS);
  httpServer?.on("close", () => clearInterval(timer));
  httpServer?.on("upgrade", (request, socket, head) => server.upgrade(request, socket, head));
  middlewares.use((request, response, next) => {
    if (!server.request(request, response)) next();
  });
}

function now(): number {
  return Date.now() * 1000;
}

function asked(): Partial<Settings> {
  const settings: Partial<Settings> = {};
  for (const [name, setting] of Object.entries(ASKED)) {
    const value = process.env[name];
    if (value !== undefined) settings[setting] = Number(value);
  }
  return settings;
}

/** The center has been open for this long when the first page looks at it. */
const LEAD_US = 20 * 60 * 1e6;

/** How often the center is looked at. */
const STEP_MS = 100;
