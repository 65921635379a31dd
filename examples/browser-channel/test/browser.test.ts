/** The built page in a real browser: both channels established, a message sealed and opened on each in both directions, and new keys on the way. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromiumLaunch } from "@sealane/tidy/chromium";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const launch = chromiumLaunch();
const SLOW_MS = 30_000;
/** One more record than one key seals in this example. */
const PAST_A_REKEY = 14;

if (launch === undefined) {
  test.skip("no Chromium found: install Debian's chromium or set CHROMIUM_PATH to run the browser test", () =>
    undefined);
} else {
  let browser: Browser;
  let server: ChildProcess;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error("build the example before its tests: pnpm build");
    server = spawn(process.execPath, [MAIN, "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const [url, started] = await Promise.all([printedUrl(server), chromium.launch(launch)]);
    browser = started;
    page = await browser.newPage();
    page.setDefaultTimeout(SLOW_MS);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
    await page.goto(url);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.kill("SIGTERM");
  });

  describe.each([
    { panel: "Two workers", first: "Worker A", second: "Worker B" },
    { panel: "This page and Node", first: "Page", second: "Node" },
  ])("$panel", ({ panel, first, second }) => {
    test("establish a channel, and open what the other sealed", async () => {
      const region = page.getByRole("region", { name: panel });
      await region.locator('.badge[data-state="ESTABLISHED"]').nth(1).waitFor();
      for (const step of ["init", "response", "final", "confirm"]) {
        await region.locator(`[data-step="${step}"][data-state="received"]`).waitFor();
      }

      for (const [from, to, other] of [[0, second, first] as const, [1, first, second] as const]) {
        const text = `From ${other}, sealed in a browser`;
        await region.getByLabel("Message", { exact: true }).fill(text);
        await region.getByRole("button", { name: `${other} → ${to}` }).click();
        for (const [sender, kind] of [[from, "ping"] as const, [1 - from, "pong"] as const]) {
          const row = region.locator(`[data-message^="${sender} ${kind} "][data-state="opened"]`).first();
          await row.getByText(text).waitFor();
          expect(await row.locator("td").first().textContent()).toMatch(/^[0-9a-f]{16,}…?$/);
        }
      }
    });

    test("go on when the keys change between two messages", async () => {
      const region = page.getByRole("region", { name: panel });
      const button = region.getByRole("button", { name: `${first} → ${second}` });
      for (let count = 0; count < PAST_A_REKEY; count++) await button.click();
      await region.getByLabel("Message", { exact: true }).fill("Under new keys");
      await button.click();
      await region.locator('[data-kind="pong"][data-state="opened"]', { hasText: "Under new keys" }).waitFor();
      const end = region.getByRole("article", { name: first });
      const exchanges = end.locator("dl > div", { hasText: "Exchanges" }).locator("dd");
      await expect.poll(async () => Number(await exchanges.textContent())).toBeGreaterThan(1);
      expect(await region.getByText("last refusal").count()).toBe(0);
    });
  });

  test("the browser had nothing to complain about", () => {
    expect(complaints).toEqual([]);
  });
}

function printedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const url = /http:\S+/.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with code ${code}`)));
  });
}
