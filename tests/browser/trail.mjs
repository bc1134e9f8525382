// Follows gifts and checks dossiers with the site's own module. Reads cases as JSON from standard input.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { modules, log, gifts, dossiers } = JSON.parse(readFileSync(0, "utf8"));
const at = (name) => pathToFileURL(modules + "/" + name).href;
const { checkTrail, follow } = await import(at("trail.js"));
const { makeEngine } = await import(at("engine.js"));

const entries = (log || []).map((each) => JSON.parse(each));
const followed = (gifts || []).map((seq) => follow(entries[seq], entries.filter((each) => each.seq !== seq)));
const checked = {};
for (const [name, given] of Object.entries(dossiers || {})) {
  const dossier = new Uint8Array(Buffer.from(given.dossier, "base64"));
  checked[name] = await checkTrail({ ...given, dossier }, makeEngine());
}
console.log(JSON.stringify({ followed, checked }));
