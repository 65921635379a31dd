/** The browser of tests that need one: Debian's Chromium, or whatever `CHROMIUM_PATH` names. */
import { existsSync } from "node:fs";

const CANDIDATES = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** It talks to nobody but the page under test. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How Playwright launches it. Undefined where there is none: such tests then say so, and are skipped. */
export function chromiumLaunch(): { readonly executablePath: string; readonly args: string[] } | undefined {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  return executablePath === undefined ? undefined : { executablePath, args: FLAGS };
}
