import { defineConfig } from "vite";
import { mock } from "./mock/plugin.ts";

/** Where `npm run dev` finds a program to show: `make run`, `tandem serve`, or the one at the address in TANDEM_URL. */
const PROGRAM = process.env["TANDEM_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig(({ mode }) => ({
  plugins: mode === "mock" ? [mock()] : [],
  build: {
    target: ["chrome125", "edge125", "firefox128", "safari18"],
    // The page is served with `default-src 'self'`: nothing may stand inline, in scripts, styles or data addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    proxy: mode === "mock" ? {} : { "/api": PROGRAM, "/healthz": PROGRAM, "/live": { target: PROGRAM, ws: true } },
  },
}));
