// The donor's own check of her gift: fetch entry, proof and keys, check them here, and say plainly what came of it.
import { STEPS, base64, check } from "./proof.js";
import { makeEngine } from "./engine.js";

const WAITS_MS = [1000, 2000, 4000]; // a new entry is published within about a second
const panel = document.getElementById("ver");

const MARKS = { passed: ["✓", "通过。"], failed: ["✗", "未通过。"], absent: ["–", "未核对。"] };
const CHANNELS = JSON.parse(panel.dataset.channels);

const WORDS = {
  checking: ["正在核验…", "由您的浏览器自己计算，不到一秒"],
  passed: ["这条记录没有被改动", "由您的浏览器自己算出，用时 {s} 秒"],
  unwitnessed: ["这条记录与签名的总账相符", "由您的浏览器自己算出，用时 {s} 秒。还没有见证机构会签，不能排除本站给不同的人看不同的账本。"],
  failed: ["核验没有通过：第 {n} 步", "可能是网络或缓存，也可能是账本被改动。请保存下面的证据文件，并联系开具收据的红十字会。"],
  unseen: ["核验没有通过：第 {n} 步", "见证机构的会签不够。可能是见证机构暂时没有答复，也可能是您看到的不是别人看到的那本账。请稍后再试；仍不通过，请保存下面的证据文件，并联系开具收据的红十字会。"],
  unpublished: ["这一条还没有签名公布", "新记的账通常一秒内公布，请稍后刷新本页。"],
  unsigned: ["本账本还没有签名公布", "记账的一方还没有设签名密钥，所以没有证明可以在您的设备上核验。"],
  offline: ["没有取到核验所需的文件", "网络不通，或本站正忙。这不说明账本有问题，请稍后刷新本页。"],
  impossible: ["此浏览器不能自行核验", "这不说明账本有问题。请用较新的浏览器打开本页，或保存凭证文件后用离线工具核验。"],
};
const LINES = { checking: "正在核验…", passed: "这条记录没有被改动，您的浏览器刚刚核验过", failed: "核验没有通过，请看说明" };

const time = (seconds) => {
  const at = new Date(seconds * 1000 + 8 * 3600 * 1000).toISOString(); // Beijing
  return at.slice(0, 10) + " " + at.slice(11, 16);
};

const FACTS = {
  inclusion: (step) => "总账共 " + step.size.toLocaleString("en") + " 条",
  signature: (step) => step.by,
  witnesses: (step) => step.seen
    ? step.seen.map((each) => each.name + " " + time(each.time)).join("，")
    : "还没有见证机构会签",
  donor: (step) => step.state === "absent"
    ? "渠道信息已按要求删除"
    : (CHANNELS[step.channel] || step.channel) + "，" + (step.reference ? "流水号 " + step.reference + "。请与您的付款记录核对" : "没有流水号"),
};

function say(state, values, words) {
  panel.dataset.state = state;
  const [head, sub] = WORDS[words || state].map((text) => text.replace(/\{(\w)\}/, (_, name) => values[name]));
  panel.querySelector("h2").textContent = head;
  panel.querySelector("[data-sub]").textContent = sub;
  const line = document.querySelector("[data-verified]");
  line.textContent = LINES[state] || WORDS[state][0];
  line.parentNode.dataset.state = state;
}

function mark(step) {
  const line = panel.querySelector('[data-step="' + step.id + '"]');
  line.dataset.state = step.state;
  line.querySelector(".m").textContent = MARKS[step.state][0];
  line.querySelector(".vh").textContent = MARKS[step.state][1];
  const facts = line.querySelector("small");
  if (facts) facts.textContent = step.state === "failed" ? "" : FACTS[step.id](step);
}

async function get(path, cache) {
  const answer = await fetch(path, { cache, credentials: "omit" });
  if (answer.status === 404) throw Object.assign(new Error(path), { state: "unpublished" });
  if (!answer.ok) throw Object.assign(new Error(path), { state: "offline" });
  return answer;
}

async function evidence(cache) {
  const seq = Number(panel.dataset.seq);
  const [entry, proof, policy] = await Promise.all([
    get("/api/v1/entries/" + seq + "/bytes", cache).then((answer) => answer.arrayBuffer()),
    get("/log/proof/" + seq, cache).then((answer) => answer.text()),
    get("/log/policy", cache).then((answer) => answer.text()),
  ]);
  const shown = Array.from(document.querySelectorAll("[data-shown]"), (each) =>
    [each.dataset.shown, each.textContent.replace(/\s+/g, " ").trim()]);
  const box = Uint8Array.from(atob(panel.dataset.box), (each) => each.charCodeAt(0));
  return { seq, entry: new Uint8Array(entry), proof, policy, code: panel.dataset.code, box, shown };
}

// What to hand to whoever looks into it. The code is not in it: whoever has that sees this page.
function offer(given, result, engine) {
  const kept = {
    format: "sunledger/evidence/1",
    at: new Date().toISOString(),
    page: location.origin + location.pathname,
    browser: navigator.userAgent,
    engine: engine.used,
    seq: given.seq,
    failed: result.failed,
    steps: result.steps.map((step) => step.id === "donor" ? { id: step.id, state: step.state, why: step.why } : step),
    shown: given.shown,
    entry: base64(given.entry),
    proof: given.proof,
    policy: given.policy,
  };
  const link = panel.querySelector("[data-evidence]");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(kept, null, 1)], { type: "application/json" }));
  link.download = "evidence-" + given.seq + ".json";
  link.hidden = false;
}

async function attempt(cache) {
  const engine = makeEngine();
  const given = await evidence(cache);
  const began = performance.now();
  const result = await check(given, engine);
  return { given, engine, result, took: Math.max(performance.now() - began, 10) };
}

async function run() {
  say("checking");
  let cache = "default";
  for (let tries = 0; ; tries++) {
    try {
      const { given, engine, result, took } = await attempt(cache);
      if (result.failed && cache === "default") { cache = "reload"; continue; } // perhaps something stale on the way
      result.steps.forEach(mark);
      panel.dataset.engine = Object.keys(engine.used).map((what) => what + ":" + engine.used[what]).join(" ");
      if (result.failed) offer(given, result, engine);
      const isWitnessed = result.steps.some((step) => step.id === "witnesses" && step.state === "passed");
      const values = { n: STEPS.indexOf(result.failed) + 1, s: (took / 1000).toFixed(2) };
      following.hidden = Boolean(result.failed);
      // Too few witnesses may be a witness that is away; a cosignature that does not fit is not.
      const isUnseen = result.steps.some((step) => step.id === result.failed && step.tooFew);
      say(result.failed ? "failed" : isWitnessed ? "passed" : "unwitnessed", values, isUnseen ? "unseen" : "");
      return;
    } catch (error) {
      if (error.state === "unpublished" && tries < WAITS_MS.length) {
        cache = "reload";
        await new Promise((wake) => setTimeout(wake, WAITS_MS[tries]));
        continue;
      }
      say(error.state || (error.unsupported ? "impossible" : error instanceof TypeError ? "offline" : "impossible"));
      return;
    }
  }
}

// Asked for by the donor: every entry her money went through.
async function followTrail(button) {
  const said = panel.querySelector("[data-trail]");
  button.disabled = true;
  said.textContent = "正在逐条核验…";
  try {
    const { checkTrail } = await import("./trail.js");
    const body = JSON.stringify({ code: panel.dataset.code, seq: Number(panel.dataset.seq) });
    const options = { method: "POST", body, headers: { "Content-Type": "application/json" }, credentials: "omit" };
    const [dossier, policy] = await Promise.all([fetch("/api/v1/dossier", options), fetch("/log/policy")]);
    if (!dossier.ok || !policy.ok) throw new Error("offline");
    const text = (each) => each.textContent.trim();
    const all = (what) => Array.from(document.querySelectorAll(what));
    const shown = {
      parts: all("[data-part-of]").map((each) => [each.dataset.partOf, text(each)]),
      rests: all("[data-rest]").length ? null : all("[data-shown=part]").map(text),
    };
    const given = {
      seq: Number(panel.dataset.seq), policy: await policy.text(), shown, dossier: new Uint8Array(await dossier.arrayBuffer()),
    };
    const { count, failed } = await checkTrail(given, makeEngine());
    said.dataset.state = failed ? "failed" : "passed";
    said.textContent = failed
      ? "逐条核验没有通过。可能是刚有新的一步还没有公布，请刷新后再试；仍不通过，请下载查询复制件，并联系开具收据的红十字会。（" + failed + "）"
      : "✓ 去向里的 " + count + " 条都在签名的总账里，每一步的金额由您的浏览器重新算出，与页面相符。";
  } catch (error) {
    said.textContent = WORDS.offline[0] + "，请稍后再试。";
  }
  button.disabled = false;
}

const following = panel.querySelector("[data-follow]");
following.addEventListener("click", () => followTrail(following));
if (/MicroMessenger/i.test(navigator.userAgent)) panel.querySelector("[data-wechat]").hidden = false;
if ("unsigned" in panel.dataset) say("unsigned");
else run();
