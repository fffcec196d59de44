// A shop that charges through Quittance: nothing but `fetch`.
//
//     QUITTANCE_URL=http://127.0.0.1:8080 QUITTANCE_KEY=qk_test_… node client.js

const url = process.env.QUITTANCE_URL!;
const secret = process.env.QUITTANCE_KEY!;
const order = process.env.ORDER ?? "typescript-1001";

// What says nothing about whether it happened: the same request again, under the same key.
const tryAgain = new Set([408, 429, 500, 502, 503, 504]);
const triesMax = 8;
const final = new Set(["succeeded", "failed", "canceled", "requires_capture", "requires_action", "review"]);

type Answer = { status: number; headers: Headers; body: any };
type Options = { key?: string; prefer?: string; timeoutMs?: number };

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const retryAfterMs = (headers: Headers, otherwise: number) =>
  headers.has("retry-after") ? Number(headers.get("retry-after")) * 1000 : otherwise;

/** Sends once. Rejects where no answer came; a refusal is an answer. */
async function send(method: string, path: string, body?: unknown, options: Options = {}): Promise<Answer> {
  const headers: Record<string, string> = { Authorization: `Bearer ${secret}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (options.key) headers["Idempotency-Key"] = options.key;
  if (options.prefer) headers["Prefer"] = options.prefer;
  const signal = AbortSignal.timeout(options.timeoutMs ?? 70_000);
  const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body), signal });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

/** Posts until there is an answer that says something. The body and the key are the same with every try. */
async function post(path: string, body: unknown, key: string, options: Options = {}): Promise<Answer> {
  let timeoutMs = options.timeoutMs;
  for (let attempt = 0; attempt < triesMax; attempt++) {
    let pause = Math.min(200 * 2 ** attempt, 10_000);
    try {
      const answer = await send("POST", path, body, { ...options, key, timeoutMs });
      if (!tryAgain.has(answer.status)) return answer;
      pause = retryAfterMs(answer.headers, pause);
    } catch (error) {
      console.log(`  no answer to ${key} (${(error as Error).name}): the same again`);
    }
    await sleep(pause);
    timeoutMs = undefined;
  }
  throw new Error(`${path}: no answer to ${key}; what became of it is told by the same request, whenever it is sent`);
}

/** What is there, once its outcome is known. `unknown` is being found out: it is not `failed`. */
async function settled(path: string): Promise<any> {
  for (let look = 0; look < 100; look++) {
    const { status, headers, body } = await send("GET", path);
    if (status === 200 && final.has(body.status)) return body;
    // A command says what it made as soon as that is there.
    path = body.resource ?? path;
    await sleep(retryAfterMs(headers, 200));
  }
  throw new Error(`${path} is not settled yet: look again later, or wait for its webhook`);
}

function expect(holds: boolean, answer: unknown): void {
  if (!holds) throw new Error(`unexpected: ${JSON.stringify(answer)}`);
}

async function main(): Promise<void> {
  // The keys are made of what the order is called, so that whoever comes back after a crash makes the same ones.
  const customer = await post("/v1/customers", { external_id: `customer-${order}` }, `customer-${order}`);
  expect(customer.status === 201, customer);

  // The answer to the first try is lost: it is given a millisecond. The retry is not a second charge.
  const charge = {
    customer: `customer-${order}`, amount: 1999, currency: "USD", gateway: "sandbox",
    payment_method: "pm_card_visa", reference: order,
  };
  const paid = await post("/v1/payments", charge, `pay-${order}`, { timeoutMs: 1 });
  const payment = paid.status === 202 ? await settled(paid.headers.get("location")!) : paid.body;
  expect(payment.status === "succeeded", payment);
  const again = await post("/v1/payments", charge, `pay-${order}`);
  expect(again.body.id === payment.id, again);
  console.log(`  ${order}: ${payment.id} ${payment.status}, ${payment.captured_amount} ${payment.currency}`);

  // Who does not wait gets 202, and looks where `Location` says.
  const later = { ...charge, reference: `${order}-later` };
  const pending = await post("/v1/payments", later, `pay-${order}-later`, { prefer: "respond-async" });
  expect(pending.status === 201 || pending.status === 202, pending);
  const outcome = await settled(pending.headers.get("location")!);
  console.log(`  ${later.reference}: answered ${pending.status}, then ${outcome.status}`);

  const refused = { ...charge, reference: `${order}-declined`, payment_method: "pm_card_visa_chargeDeclined" };
  const declined = await post("/v1/payments", refused, `pay-${order}-declined`);
  expect(declined.status === 402 && declined.body.code === "payment-declined", declined);
  const why = declined.body.payment.decline.code;
  console.log(`  ${order}-declined: ${why}, and nothing can charge it any more`);

  // A refund has a name of its own, so that the same one is never given twice.
  const back = { payment: payment.id, amount: 500, reference: `return-${order}` };
  const refund = await post("/v1/refunds", back, `refund-${order}`);
  expect(refund.status === 201 || refund.status === 202, refund);
  const { amount, currency, status } = refund.body;
  console.log(`  return-${order}: ${amount} ${currency} given back, ${status}`);

  // Everything that happened, from the request to the gateway's answer.
  const trace = await send("GET", `/v1/trace/${payment.id}`);
  expect(trace.status === 200, trace);
  const events: string[] = trace.body.stories.flatMap((story: any) => story.lines.map((line: any) => line.event));
  console.log(`  the story of ${payment.id}: ${events.length} events, from ${events[0]} to ${events.at(-1)}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
