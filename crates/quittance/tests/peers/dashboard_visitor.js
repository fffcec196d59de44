// Visits the dashboard in Chromium as a person does, and prints one line of JSON: the pages it saw and what was wrong with them
// (errors on the console, breaches of the policy, violations that axe finds, what runs out of a phone's width).
//
// VISIT_BASE is the server, VISIT_KEY an API key of scope admin, VISIT_PAYMENT a payment, VISIT_SHOTS a folder for screenshots,
// VISIT_BROWSER the browser. NODE_PATH names the node_modules that hold playwright-core and axe-core.

"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { VISIT_BASE: base, VISIT_KEY: key, VISIT_PAYMENT: payment, VISIT_SHOTS: shots, VISIT_BROWSER: browserPath } = process.env;
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const seen = [];
const wrong = [];

/** A page that tells what goes wrong on it. */
async function watched(context) {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(`${page.url()}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`${page.url()}: script: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) wrong.push(`${page.url()}: asks for ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
  });
  return page;
}

/** Judges the page that is open, and takes a picture of it. */
async function judge(page, name) {
  seen.push(name);
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run(document));
  for (const violation of found.violations) {
    const nodes = violation.nodes.slice(0, 3).map((node) => node.target.join(" "));
    wrong.push(`${name}: axe: ${violation.id}: ${violation.help}: ${nodes.join("; ")}`);
  }
  if (found.passes.length === 0) wrong.push(`${name}: axe judged nothing`);
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (excess > 0) wrong.push(`${name}: ${excess} px wider than the window`);
  await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
}

async function visit(page, name, address) {
  const response = await page.goto(base + address);
  if (response.status() !== 200) wrong.push(`${name}: status ${response.status()}`);
  await judge(page, name);
}

async function logIn(page, name) {
  await page.goto(`${base}/dashboard/payments`);
  await judge(page, `${name}-login`);
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
  if (!page.url().endsWith("/dashboard/payments")) wrong.push(`${name}: the door leads to ${page.url()}`);
}

/** Every page, in one way of looking at it. */
async function tour(browser, name, options) {
  const context = await browser.newContext(options);
  const page = await watched(context);
  await logIn(page, name);
  const discrepancies = "/dashboard/discrepancies?source=pair";
  for (const [part, address] of [
    ["overview", "/dashboard"],
    ["payments", "/dashboard/payments"],
    ["payment", `/dashboard/payments/${payment}`],
    ["trace", `/dashboard/trace?id=${payment}`],
    ["discrepancies", discrepancies],
    ["pairs", "/dashboard/pairs"],
    ["pair", "/dashboard/pairs/accounts"],
    ["ledger", "/dashboard/ledger"],
    ["settings", "/dashboard/settings"],
  ]) {
    await visit(page, `${name}-${part}`, address);
  }
  await page.goto(base + discrepancies);
  await page.locator("tbody th a").first().click();
  await judge(page, `${name}-discrepancy`);
  return { context, page };
}

/** The first thing that a keyboard reaches leads past the navigation. */
async function byKeyboard(page) {
  await page.goto(`${base}/dashboard`);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.textContent);
  if (first !== "Skip to the content") wrong.push(`the first stop of the keyboard is ${first}`);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const isInside = await page.evaluate(() => document.querySelector("main").contains(document.activeElement));
  if (!isInside) wrong.push("the way past the navigation does not lead into the content");
}

/** Somebody says which side is right, and reads how that is taken back. */
async function decide(page) {
  await page.goto(`${base}/dashboard/discrepancies?source=pair`);
  await page.locator("tbody th a").first().click();
  await page.getByRole("link", { name: "Right is right" }).click();
  await judge(page, "decide-before");
  await page.getByLabel("Why").fill("they upgraded");
  await page.getByRole("button", { name: "Right is right" }).click();
  await judge(page, "decide-after");
  if (!(await page.getByText("quittance undo run_").isVisible())) wrong.push("the result names no way back");
}

/** A pair that is paused in one window is seen to be in another, where nobody did anything. */
async function live(context, page) {
  await page.goto(`${base}/dashboard`);
  const other = await watched(context);
  await other.goto(`${base}/dashboard/pairs/accounts`);
  await other.getByLabel("Why").fill("a migration");
  await other.getByRole("button", { name: "Pause", exact: true }).click();
  await page.waitForFunction(() => document.getElementById("live").textContent.includes("; paused"), null, { timeout: 30000 });
  await judge(page, "live-paused");
}

async function main() {
  fs.mkdirSync(shots, { recursive: true });
  const browser = await chromium.launch({ executablePath: browserPath, headless: true, args: FLAGS });
  try {
    const light = await tour(browser, "light", { viewport: { width: 1280, height: 800 }, colorScheme: "light" });
    await byKeyboard(light.page);
    await tour(browser, "dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
    await tour(browser, "phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
    await decide(light.page);
    await live(light.context, light.page);
    // Without scripts axe cannot judge; what is said there is the same.
    const bare = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await bare.goto(`${base}/dashboard`);
    await bare.getByLabel("API key").fill(key);
    await bare.getByRole("button", { name: "Log in" }).click();
    if ((await bare.locator("h1").textContent()) !== "Overview") wrong.push("without scripts nobody gets in");
    await bare.getByRole("button", { name: "Log out" }).click();
    if (!bare.url().endsWith("/dashboard/login")) wrong.push("without scripts nobody gets out");
  } finally {
    await browser.close();
  }
}

main()
  .catch((error) => wrong.push(String(error)))
  .finally(() => console.log(JSON.stringify({ seen, wrong })));
