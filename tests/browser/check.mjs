// Runs the site's own modules in node: every case by every engine. Reads cases as JSON from standard input.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { modules, cases } = JSON.parse(readFileSync(0, "utf8"));
const at = (name) => pathToFileURL(modules + "/" + name).href;
const { check } = await import(at("proof.js"));
const { makeEngine } = await import(at("engine.js"));

const real = globalThis.crypto;
const older = {
  subtle: new Proxy(real.subtle, {
    get: (subtle, name) => (...given) =>
      name === "importKey" && given[2].name === "Ed25519"
        ? Promise.reject(new DOMException("Unrecognized name", "NotSupportedError"))
        : subtle[name](...given),
  }),
};
const browsers = { native: real, older, insecure: undefined };

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const answers = [];
for (const [browser, value] of Object.entries(browsers)) {
  Object.defineProperty(globalThis, "crypto", { value, configurable: true });
  for (const [name, given] of Object.entries(cases)) {
    const engine = makeEngine();
    const { steps, failed } = await check({ ...given, entry: bytes(given.entry), box: bytes(given.box) }, engine);
    answers.push({ browser, name, failed, steps, used: engine.used });
  }
}
console.log(JSON.stringify(answers));
