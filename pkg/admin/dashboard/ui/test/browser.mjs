// Opens the page in Chromium, and reads what it shows.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  });
}

// open opens a view in a new context. Errors of the page and of its Content-Security-Policy fail the test at the end.
export async function open(t, browser, limpet, view = "overview", options = {}, expected = "") {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("Failed to load resource")) {
      errors.push(message.text());
    }
  });
  if (expected !== "dialogs") {
    page.on("dialog", (dialog) => errors.push(`dialog: ${dialog.message()}`));
  }
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(`${limpet.admin}/#/${view}`);
  return page;
}

// show opens another view in the same tab, and waits for its content.
export async function show(page, view) {
  await page.evaluate((to) => { location.hash = `#/${to}`; }, view);
  await content(page);
}

// content waits until a view has its document.
export async function content(page) {
  await page.locator("main dl, main table, main form, main nav.pager").first().waitFor();
  await page.getByText("Loading…").waitFor({ state: "detached" });
}

const images = new URL("../../../../../docs/guides/images/", import.meta.url).pathname;

// screenshot writes a picture of the page for the docs, if SCREENSHOTS=1 requests it. It waits until there is a history.
export async function screenshot(page, name) {
  if (process.env.SCREENSHOTS === "1") {
    await page.waitForFunction(() => document.querySelector(".spark polyline")?.points.length >= 5, null, { timeout: 60_000 });
    await page.screenshot({ path: `${images}${name}.png` });
  }
}

// rows returns the text of the cells of a table.
export function rows(page, caption) {
  return page.locator("table", { has: page.locator("caption", { hasText: caption }) }).locator("tbody tr")
    .evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
}

// stats returns the numbers of the overview by name.
export function stats(page) {
  return page.locator(".stat").evaluateAll((all) => Object.fromEntries(all.map((stat) =>
    [stat.querySelector("dt").innerText, stat.querySelector(".value").innerText])));
}

// violations returns what axe-core finds. The script is evaluated by the debugger, so that the Content-Security-Policy stays in force.
export async function violations(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join("\n")}`);
}
