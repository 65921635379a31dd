/** The page in a real browser, against real nodes: write through the backup, see it committed on both, kill and restart the backup. */
import { chromiumLaunch } from "@sealane/tidy/chromium";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Running, runDemo } from "./built.js";

const launch = chromiumLaunch();
const SLOW_MS = 30_000;

if (launch === undefined) {
  test.skip("no Chromium found: install Debian's chromium or set CHROMIUM_PATH to run the browser test", () =>
    undefined);
} else {
  let browser: Browser;
  let demo: Running;
  let url = "";
  beforeAll(async () => {
    demo = runDemo(["--port", "0"]);
    url = String((await demo.printed(/page\s+(http:\S+)/))[1]);
    await demo.printed(/Ctrl-C ends everything/);
    browser = await chromium.launch(launch);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    demo?.child.kill("SIGTERM");
    await demo?.ended;
  }, 30_000);

  test("a record written through the backup is committed on both nodes, also after the backup was killed", {
    timeout: 120_000,
  }, async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(SLOW_MS);
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));

    await page.goto(url);
    const channels = page.getByRole("region", { name: "Channels as a table" });
    await channels.locator(".channel-state.established").nth(1).waitFor();
    const backup = page.getByRole("article", { name: "Node 1" });
    await backup.getByText("backup").waitFor();

    const write = async (key: string) => {
      await page.getByLabel("Key", { exact: true }).fill(key);
      await page.getByLabel("Value", { exact: true }).fill(`{"from":"the browser"}`);
      const writer = page.getByRole("region", { name: "Write a record" });
      await writer.getByRole("radio", { name: "Node 1" }).check({ force: true });
      await page.getByRole("button", { name: "Write", exact: true }).click();
      const row = page.locator(`[data-write="${key}"]`);
      await row.and(page.locator('[data-state="committed"]')).waitFor();
      expect(await row.locator(".status.committed").count()).toBe(2);
      await row.getByText("via 1").waitFor();
      await row.getByText(/^\d+\.\d+$/).waitFor();
    };
    await write("before-the-storm");
    await page
      .getByRole("region", { name: "Rows, newest first" })
      .getByText("command", { exact: true })
      .first()
      .waitFor();

    await backup.getByRole("button", { name: "Kill Node 1" }).click();
    await backup.locator(".state", { hasText: "down" }).waitFor();
    await page.getByRole("status").getByText("Node 1 was killed.").waitFor();
    await backup.getByRole("button", { name: "Restart Node 1" }).click();
    await backup.locator(".state", { hasText: /^up$/ }).waitFor();
    await channels.locator(".channel-state.established").nth(1).waitFor();
    await write("after-the-storm");

    await page.getByRole("button", { name: "Cut the link between Node 0 and Node 1" }).click();
    await channels.getByText("link cut").first().waitFor();
    await page.getByRole("button", { name: "Heal the link between Node 0 and Node 1" }).click();
    await channels.locator(".channel-state.established").nth(1).waitFor();
    await write("after-the-cut");

    const ledger = page.getByRole("region", { name: "Ledger" });
    await ledger.getByRole("radio", { name: "Node 1" }).check({ force: true });
    await ledger.locator(".entry.application").last().click();
    await ledger.getByRole("button", { name: "Open it as a trusted node does" }).click();
    await ledger.getByText("the browser").waitFor();
    await ledger.getByRole("radio", { name: "Bytes and proof" }).check({ force: true });
    await ledger.getByRole("button", { name: "Build a receipt" }).click();
    await ledger.getByText("Verified in this browser").waitFor();
    await ledger.getByRole("spinbutton", { name: "Byte at" }).fill("120");
    await ledger.getByRole("button", { name: "Flip its lowest bit" }).click();
    await ledger.getByText("The proof breaks here").waitFor();
    await ledger.getByRole("button", { name: "Undo" }).click();
    await ledger.getByText("Verified in this browser").waitFor();
    await ledger.getByLabel("Go to").fill("2");
    await ledger.getByRole("button", { name: "Go", exact: true }).click();
    await ledger.getByRole("region", { name: "Entry 2" }).getByText("signed by Node 0").waitFor();

    const filter = page.getByPlaceholder("Filter by text");
    await filter.fill("append-entries");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: /^Resume/ }).click();
    expect(complaints).toEqual([]);
    await page.close();
  });
}
