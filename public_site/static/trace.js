// The donor's own check of her gift: fetch entry, proof and keys, check them here, and say plainly what came of it.
import { STEPS, check } from "./proof.js";
import { makeEngine } from "./engine.js";

const WAITS_MS = [1000, 2000, 4000]; // a new entry is published within about a second
// Witnesses cosign every hour, whether or not there is anything new. A number of this module's, not of the page's, which
// could be given any: this one is known to whoever compares the module's SHA-256.
const OLD_DAYS = 3;
const CLOCKS_APART_S = 3600; // a witness's, the log's and this device's
const panel = document.getElementById("ver");

const WORDS = window.panelWords; // of the module before this one, in the page's language
const MARKS = { passed: "✓", failed: "✗", absent: "–" };
const CHANNELS = JSON.parse(panel.dataset.channels);

const filled = (text, values) => text.replace(/\{(\w)\}/g, (_, name) => values[name]);

const daysSince = (seconds) => (Date.now() / 1000 - seconds) / 86400;

const time = (seconds) => {
  const at = new Date(seconds * 1000 + 8 * 3600 * 1000).toISOString(); // Beijing
  return at.slice(0, 10) + " " + at.slice(11, 16);
};

const FACTS = {
  inclusion: (step) => filled(WORDS.size, { n: step.size.toLocaleString("en") }),
  signature: (step) => step.by,
  witnesses: (step) => {
    const seen = step.seen.map((each) => each.name + " " + time(each.time)).join(", ");
    const unread = step.unread.length ? filled(WORDS.unread, { n: step.unread.join(", ") }) : "";
    return [seen, unread].filter(Boolean).join(" · ") || WORDS.unseen;
  },
  donor: (step) => step.state === "absent"
    ? WORDS.boxless
    : (CHANNELS[step.channel] || step.channel) + (step.reference ? filled(WORDS.reference, { n: step.reference }) : WORDS.noReference),
};

function say(state, values, words) {
  panel.dataset.state = state;
  const [head, sub] = WORDS.states[words || state].map((text) => filled(text, values));
  panel.querySelector("h2").textContent = head;
  panel.querySelector("[data-sub]").textContent = sub;
  const line = document.querySelector("[data-verified]");
  line.textContent = WORDS.lines[state] || head;
  line.parentNode.dataset.state = state;
}

function mark(step) {
  const line = panel.querySelector('[data-step="' + step.id + '"]');
  line.dataset.state = step.state;
  line.querySelector(".m").textContent = MARKS[step.state];
  line.querySelector(".vh").textContent = WORDS.marks[step.state];
  const facts = line.querySelector("small");
  if (facts) facts.textContent = step.state === "failed" ? "" : FACTS[step.id](step);
}

async function get(path, cache) {
  const answer = await fetch(path, { cache, credentials: "omit" });
  if (answer.status === 404) throw Object.assign(new Error(path), { state: "unpublished" });
  if (!answer.ok) throw Object.assign(new Error(path), { state: "offline" });
  return answer;
}

const madeAt = (entry) => Date.parse(entry.at) / 1000; // in seconds

// An entry's bytes and its proof. Where there is no proof, the error says since when the entry has waited for one.
function proven(seq, cache) {
  const entry = get("/api/v1/entries/" + seq + "/bytes", cache)
    .then((answer) => answer.arrayBuffer()).then((data) => new Uint8Array(data));
  const proof = get("/log/proof/" + seq, cache).then((answer) => answer.text());
  const waiting = (error) => entry.then((data) => {
    throw Object.assign(error, { since: madeAt(JSON.parse(new TextDecoder().decode(data))) });
  });
  return Promise.all([entry, proof.catch(waiting)]);
}

async function evidence(cache) {
  const seq = Number(panel.dataset.seq);
  const [[entry, proof], policy] = await Promise.all([
    proven(seq, cache),
    get("/log/policy", cache).then((answer) => answer.text()),
  ]);
  const shown = Array.from(document.querySelectorAll("[data-shown]"), (each) =>
    [each.dataset.shown, each.textContent.replace(/\s+/g, " ").trim()]);
  const box = Uint8Array.from(atob(panel.dataset.box), (each) => each.charCodeAt(0));
  return { seq, entry, proof, policy, code: panel.dataset.code, box, shown };
}

async function attempt(cache) {
  const engine = makeEngine();
  const given = await evidence(cache);
  const began = performance.now();
  const result = await check(given, engine);
  return { given, engine, result, took: Math.max(performance.now() - began, 10) };
}

// What there is to say of the age of what was checked: nothing while it is new. Enough witnesses say when they saw it;
// without them its last entry says when it was made. Compared with the device's clock, which may be wrong.
async function ageOf({ steps }, policy, engine, cache) {
  const [, inclusion, , witnesses] = steps;
  const last = () => lastMadeAt(inclusion.size - 1, policy, engine, cache);
  const days = daysSince(witnesses.at || await last().catch(() => NaN));
  if (days > OLD_DAYS) return { d: Math.floor(days), said: witnesses.at ? WORDS.seenLast : WORDS.madeLast };
  return days > -CLOCKS_APART_S / 86400 ? { said: "" } : { said: WORDS.undated, words: "undated" };
}

async function lastMadeAt(seq, policy, engine, cache) {
  const [entry, proof] = await proven(seq, cache);
  const found = await check({ seq, entry, proof, policy }, engine, ["record", "inclusion", "signature"]);
  return found.failed ? NaN : madeAt(found.entry);
}

async function run() {
  say("checking");
  let cache = "default";
  for (let tries = 0; ; tries++) {
    try {
      const { given, engine, result, took } = await attempt(cache);
      const age = result.failed ? { said: "" } : await ageOf(result, given.policy, engine, cache);
      if ((result.failed || age.said) && cache === "default") { cache = "reload"; continue; } // perhaps it was a cache
      result.steps.forEach(mark);
      panel.dataset.engine = Object.keys(engine.used).map((what) => what + ":" + engine.used[what]).join(" ");
      if (result.failed) await import("./evidence.js").then(({ offer }) => offer(panel, given, result, engine)).catch(() => {});
      const [witnesses, donor] = ["witnesses", "donor"].map((id) => result.steps.find((step) => step.id === id) || {});
      const left = witnesses.state === "passed" ? "" : (witnesses.unread || []).length ? WORDS.uncounted : WORDS.alone;
      const values = { n: STEPS.indexOf(result.failed) + 1, s: (took / 1000).toFixed(2), d: age.d };
      values.w = left + filled(age.said, values);
      following.hidden = Boolean(result.failed);
      // A witness may be away; a cosignature that does not fit is something else.
      const isUnseen = result.steps.some((step) => step.id === result.failed && step.tooFew);
      if (result.failed) say("failed", values, isUnseen ? "unseen" : "");
      else if (donor.state !== "passed") say("unpaired", values);
      else if (age.said) say("stale", values, age.words);
      else say(left ? "unwitnessed" : "passed", values);
      return;
    } catch (error) {
      if (error.state === "unpublished" && tries < WAITS_MS.length) {
        cache = "reload";
        await new Promise((wake) => setTimeout(wake, WAITS_MS[tries]));
        continue;
      }
      const waited = daysSince(error.since); // of what is not published; else no number
      if (waited > OLD_DAYS) say("late", { d: Math.floor(waited) });
      else say(error.state || (error.unsupported ? "impossible" : error instanceof TypeError ? "offline" : "impossible"));
      return;
    }
  }
}

// Asked for by the donor: every entry her money went through. All that takes is fetched then.
async function followTrail(button) {
  const said = panel.querySelector("[data-trail]");
  button.disabled = true;
  said.textContent = WORDS.following;
  try {
    const { checkPage } = await import("./trail.js");
    const { count, failed } = await checkPage(panel.dataset, makeEngine());
    said.dataset.state = failed ? "failed" : "passed";
    said.textContent = filled(failed ? WORDS.notFollowed : WORDS.followed, { n: failed || count });
  } catch (error) {
    said.textContent = WORDS.later;
  }
  button.disabled = false;
}

const following = panel.querySelector("[data-follow]");
following.addEventListener("click", () => followTrail(following));
if (/MicroMessenger/i.test(navigator.userAgent)) panel.querySelector("[data-wechat]").hidden = false;
if ("unsigned" in panel.dataset) say("unsigned");
else run();
