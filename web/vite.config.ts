import { defineConfig } from "vite";
import { mock } from "./mock/plugin.ts";

/** Where `npm run dev` finds a program to show: `make run`, `tandem serve`, or the one at the address in TANDEM_URL. */
const PROGRAM = process.env["TANDEM_URL"] ?? "http://127.0.0.1:8080";

const PASSED_ON = { target: PROGRAM, changeOrigin: false };

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
    // The program does what a page asks for only if the page came from the same host: the browser's word is passed on.
    proxy: mode === "mock" ? {} : { "/api": PASSED_ON, "/auth": PASSED_ON, "/healthz": PASSED_ON, "/live": { ...PASSED_ON, ws: true } },
  },
}));
