/** Builds the page once for all tests, beside the dependencies and not where the program takes it from. */

import { fileURLToPath } from "node:url";
import { build } from "vite";

/** Where the built page lies. */
export const PAGE = fileURLToPath(new URL("../node_modules/.tandem-page", import.meta.url));

export default async function setup(): Promise<void> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  await build({ root, logLevel: "warn", mode: "production", build: { outDir: PAGE, emptyOutDir: true } });
}
