// Tests what the page shows, in Chromium, against Limpet with pods that come and go.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { content, launch, open, rows, screenshot, show, stats, violations } from "./browser.mjs";
import { eventually, ingress, Limpet, Pods, service } from "./limpet.mjs";

const hostile = "<img src=x onerror=alert(1)>";
const pool = "pool?id=shop/cart:80";
let browser, limpet, pods;

before(async () => {
  pods = new Pods();
  for (const name of ["cart-a", "cart-b", "cart-c", "cart-d", "cart-e"]) {
    await pods.add(name);
  }
  limpet = await Limpet.start({
    shop: [service("cart"), ingress("cart", ["shop.example"], "cart", { "limpet.dev/affinity": "cookie" }),
      ingress("broken", ["broken.example"], "missing", { "limpet.dev/affinity": hostile })],
    slices: pods.slice("cart", ["cart-a", "cart-b"]),
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await limpet?.stop();
  pods?.close();
});

// shoppers are clients with a session each.
const shoppers = [];

async function shop(n) {
  for (let i = 0; i < n; i++) {
    shoppers.push(await limpet.get("shop.example"));
  }
}

// agree waits until the table of pods shows what the API says, and isDone holds for what it says.
async function agree(page, isDone) {
  await eventually(async () => {
    const detail = await limpet.api(pool);
    assert.ok(isDone(detail), `not yet: ${JSON.stringify(detail.endpoints)}`);
    const shown = (await rows(page, "Pods")).map(([pod, state, sessions, idle, , , inFlight]) => [pod.split("\n")[0], state.split("\n")[0], sessions, idle, inFlight]);
    const state = { Ready: "ready", Draining: "draining", NotReady: "not ready" };
    assert.deepEqual(shown, detail.endpoints.map((e) => [e.pod, state[e.state], String(e.sessions), String(e.idle), String(e.inFlight)]));
    const numbers = await stats(page);
    assert.equal(numbers.Sessions, String(detail.sessions));
  });
}

test("a scale-up, a drain and a rollout appear as the API says", async (t) => {
  const page = await open(t, browser, limpet, pool);
  await shop(12);
  await agree(page, (p) => p.endpoints.length === 2 && p.sessions === 12);

  await limpet.write("slices", pods.slice("cart", ["cart-a", "cart-b", "cart-c"]));
  await agree(page, (p) => p.endpoints.length === 3);
  await shop(12);
  await agree(page, (p) => p.endpoints[2].sessions > 0);

  await limpet.write("slices", pods.slice("cart", ["cart-a", "cart-b", "cart-c"], ["cart-a"]));
  await agree(page, (p) => p.endpoints[0].state === "Draining");
  const before = await limpet.api(pool);
  await shop(6);
  await agree(page, (p) => p.sessions === before.sessions + 6);
  assert.equal((await limpet.api(pool)).endpoints[0].sessions, before.endpoints[0].sessions, "a draining pod gets no new session");

  await screenshot(page, "dashboard-pool");

  await limpet.write("slices", pods.slice("cart", ["cart-d", "cart-e"]));
  await agree(page, (p) => p.endpoints.map((e) => e.pod).join() === "cart-d,cart-e");
  const moved = shoppers.length;
  for (const [i, shopper] of shoppers.entries()) {
    shoppers[i] = await limpet.get("shop.example", shopper.cookie);
    assert.equal(shoppers[i].status, 200);
  }
  await agree(page, (p) => p.sessions === moved);

  await show(page, "moves");
  await eventually(async () => {
    const [[name, count, , why]] = await rows(page, "Sessions that moved");
    const { counts } = await limpet.api(pool);
    assert.equal(counts.moved.gone, moved);
    assert.deepEqual([name, count], ["shop/cart:80", String(counts.moved.gone)]);
    assert.match(why, /^30 gone: The pod was removed/);
  });
  await show(page, "overview");
  await eventually(async () => {
    const overview = await limpet.api("overview");
    const numbers = await stats(page);
    assert.equal(numbers.Sessions, String(overview.sessions));
    assert.equal(numbers["Sessions moved in 10 minutes"], String(overview.history.moved.reduce((a, b) => a + b)));
    assert.equal(numbers["Sessions moved in 10 minutes"], String(moved));
    assert.deepEqual([numbers.Problems, numbers.Routes, numbers.Pods], [overview.problems, overview.routes, 2].map(String));
  });
  await screenshot(page, "dashboard-overview");
});

test("the drain button drains a pod, and says when it can be deleted", async (t) => {
  await limpet.write("slices", pods.slice("cart", ["cart-b", "cart-c"]));
  const page = await open(t, browser, limpet, pool, {}, "dialogs");
  const questions = [];
  page.on("dialog", (dialog) => {
    questions.push(dialog.message());
    void (questions.length === 1 ? dialog.dismiss() : dialog.accept());
  });
  const button = page.getByRole("button", { name: "Drain cart-b" });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await agree(page, (p) => p.endpoints[0].state === "Draining");
  assert.match(questions.join(), /^Drain cart-b for 1h\?.*,Drain cart-b for 1h\?/);
  await button.waitFor({ state: "detached" });
  await shop(4);
  await agree(page, (p) => p.endpoints[0].sessions === 0 && p.endpoints[1].sessions >= 4);
  const states = (await rows(page, "Pods")).map(([, state]) => state);
  assert.match(states[0], /draining\s+has no sessions: can be deleted/);
});

test("a preview shows what a manifest changes, and applies nothing", async (t) => {
  const page = await open(t, browser, limpet, "check");
  const changed = ingress("cart", ["other.example"], "cart", { "limpet.dev/affinity": "cookie" });
  await page.getByLabel("Manifests in YAML").fill(JSON.stringify(changed));
  await page.getByRole("button", { name: "Check" }).click();
  await eventually(async () => {
    const changes = (await rows(page, "Changes")).map(([kind, where]) => `${kind} ${where}`);
    assert.ok(changes.some((change) => /^stops working .*shop\.example/.test(change)), changes);
    assert.ok(changes.some((change) => /^starts working .*other\.example/.test(change)), changes);
  });
  assert.ok((await limpet.api("routes")).items.every((route) => route.host !== "other.example"));
  await page.getByLabel("Manifests in YAML").fill("kind: [");
  await page.getByRole("button", { name: "Check" }).click();
  await page.locator(".error").waitFor();
});

test("text of tenants is shown as text", async (t) => {
  const page = await open(t, browser, limpet, "problems");
  await content(page);
  const found = (await limpet.api("problems")).items;
  const shown = await rows(page, "Problems");
  assert.equal(shown.length, found.length);
  assert.ok(shown.some(([object, , text]) => object === "Ingress shop/broken" && text.includes(hostile)), JSON.stringify(shown));
  assert.equal(await page.locator("img").count(), 0);
});

test("routes show their traffic", async (t) => {
  const page = await open(t, browser, limpet, "routes?q=shop.example");
  await shop(1);
  await eventually(async () => {
    const [route] = (await limpet.api("routes?q=shop.example")).items;
    assert.ok(route.requests >= shoppers.length);
    assert.match((await rows(page, "Routes"))[0][4], new RegExp(`^${route.requests}\\s+last `));
  });
});

test("explain describes a request", async (t) => {
  const page = await open(t, browser, limpet, "explain");
  await page.getByLabel("URL").fill("http://shop.example/");
  await page.getByRole("button", { name: "Explain" }).click();
  await eventually(async () => {
    const steps = Object.fromEntries(await rows(page, "Decisions"));
    assert.match(steps.Route, /from Ingress shop\/cart/);
    assert.equal(steps.Outcome, "new");
    assert.match(steps.Pod, /cart-/);
  });
  await page.getByLabel("URL").fill("nonsense");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("invalid URL").waitFor();
});

const views = ["overview", "routes", "pools", pool, "moves", "problems", "certificates", "explain", "check"];

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds no violation in ${colorScheme} colors`, async (t) => {
    const page = await open(t, browser, limpet, "overview", { colorScheme });
    for (const view of views) {
      await show(page, view);
      assert.deepEqual(await violations(page), [], view);
    }
  });
}

test("the page fits a narrow screen", async (t) => {
  const page = await open(t, browser, limpet, "overview", { viewport: { width: 360, height: 700 } });
  for (const view of views) {
    await show(page, view);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `${view} is ${overflow} pixels too wide`);
  }
});

test("the keyboard reaches everything", async (t) => {
  const page = await open(t, browser, limpet);
  await content(page);
  const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.tagName);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Overview");
  await page.keyboard.press("Shift+Tab");
  while ((await focused()) !== "Routes") {
    await page.keyboard.press("Shift+Tab");
  }
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Routes" }).waitFor();
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1"));
  await page.keyboard.press("Tab");
  await page.keyboard.type("cart");
  await page.getByText("1 to 1 of 1 routes").waitFor();
  assert.equal(await focused(), "INPUT", "the search keeps the focus while the list changes");
  while ((await focused()) !== "shop/cart:80") {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Pool shop/cart:80" }).waitFor();
});

test("another client must enter a token", async (t) => {
  const guarded = await Limpet.start({ shop: [service("cart"), ingress("cart", ["shop.example"], "cart")] },
    "--admin-trust-loopback=false", `--admin-token-file=${new URL("token.txt", import.meta.url).pathname}`);
  t.after(() => guarded.stop());
  const page = await open(t, browser, guarded, "routes");
  await page.getByLabel("Token").fill("not the token, but long enough");
  await page.getByRole("button", { name: "Continue" }).click();
  await eventually(async () => assert.equal(await page.evaluate(() => sessionStorage.length), 1));
  assert.deepEqual(await violations(page), []);
  await page.getByLabel("Token").fill("a-token-for-the-test");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("1 to 1 of 1 routes").waitFor();
  await guarded.write("more", [ingress("more", ["more.example"], "cart")]);
  await page.getByText("1 to 2 of 2 routes").waitFor();
});

test("10,000 routes take few elements", async (t) => {
  const hosts = (i) => Array.from({ length: 100 }, (_, j) => `host-${i}-${j}.example`);
  const large = await Limpet.start({ many: [service("cart"), ...Array.from({ length: 100 }, (_, i) => ingress(`web-${i}`, hosts(i), "cart"))] });
  t.after(() => large.stop());
  const page = await open(t, browser, large, "routes");
  const elements = () => page.evaluate(() => document.querySelectorAll("*").length);
  await page.getByText("1 to 50 of 10,000 routes").waitFor();
  assert.ok((await elements()) < 1500, `${await elements()} elements`);
  await page.getByRole("searchbox").fill("host-73-42");
  await page.getByText("1 to 1 of 1 routes").waitFor();
  assert.match((await rows(page, "Routes"))[0][0], /^host-73-42\.example\//);
  await page.getByRole("searchbox").fill("web-73");
  await page.getByText("1 to 50 of 100 routes").waitFor();
  await page.getByRole("link", { name: "Next" }).click();
  await page.getByText("51 to 100 of 100 routes").waitFor();
  assert.ok((await elements()) < 1500, `${await elements()} elements`);
});
