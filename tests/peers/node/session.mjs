// Reads jobs from standard input, one JSON object a line, and prints one result a line, in the same order.
// One process serves a whole test session, since starting Node costs more than a login.

import { createInterface } from "node:readline";
import { NotSentBack, Strayed } from "./browser.mjs";

const DRIVERS = ["openid-client", "openid-client-grants", "oauth4webapi", "arctic"];

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  console.log(JSON.stringify(await attempt(job)));
}

async function attempt(job) {
  const progress = { stage: "start", seen: {} };
  const at = (stage) => {
    progress.stage = stage;
  };
  try {
    if (!DRIVERS.includes(job.driver)) throw new Error(`there is no driver ${job.driver}`);
    const driver = await import(`./${job.driver}.mjs`);
    await driver.run(job, at, progress.seen);
    return { outcome: "accepts", ...progress, error: "" };
  } catch (error) {
    return { outcome: outcomeOf(error), ...progress, error: told(error) };
  }
}

// A library that judges says so with an error of its own, which has a code or a class; what it did not think of ends
// in one of the language's errors.
function outcomeOf(error) {
  if (error instanceof NotSentBack) return "unanswered";
  if (error instanceof Strayed) return "leaks";
  // fetch says "fetch failed" in a TypeError with a cause: a network error, and meant as such.
  if (error?.cause !== undefined) return "refuses";
  const plain = [TypeError, ReferenceError, RangeError, SyntaxError].some((type) => error?.constructor === type);
  return plain && error.code === undefined ? "stumbles" : "refuses";
}

function told(error) {
  const said = [error?.code ?? error?.constructor?.name, error?.message, error?.error, error?.error_description];
  if (error?.cause instanceof Error) said.push(error.cause.message);
  return said.filter((one) => typeof one === "string").join(": ");
}
