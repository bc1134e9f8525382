// What a donor's own browser can find out about one entry: no page, no network, no cryptography of its own (that is
// `engine`, see engine.js). docs/formats.md says what the bytes are. Written for old kernels: no `?.`, no BigInt.

export const STEPS = ["record", "inclusion", "signature", "witnesses", "receipt", "donor", "shown"];

const ED25519 = 1, COSIGNATURE = 4;
const utf8 = (text) => new TextEncoder().encode(text);
export const hex = (data) => Array.from(data, (each) => each.toString(16).padStart(2, "0")).join("");
export const base64 = (data) => btoa(Array.from(data, (each) => String.fromCharCode(each)).join(""));

export function fromBase64(text) {
  const data = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  if (base64(data) !== text) throw new Error("no canonical base64");
  return data;
}

function join(...parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

const equal = (a, b) => a.length === b.length && a.every((each, i) => each === b[i]);

// RFC 8785 for what the ledger allows: strings, safe integers, booleans, arrays, objects.
export function canonical(value) {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (typeof value === "object" && value !== null) {
    return "{" + Object.keys(value).sort().map((key) => JSON.stringify(key) + ":" + canonical(value[key])).join(",") + "}";
  }
  if (typeof value === "number" ? !Number.isSafeInteger(value) : !["string", "boolean"].includes(typeof value)) {
    throw new Error("not in the profile");
  }
  return JSON.stringify(value);
}

const digits = (fen) => {
  const yuan = String(Math.floor(fen / 100)).replace(/\B(?=(\d{3})+$)/g, ",");
  return yuan + "." + String(fen % 100).padStart(2, "0");
};
export const yuan = (fen) => "¥" + digits(fen);
export const spoken = (fen) => digits(fen).replace(/\.00$/, "") + " 元";

// Check everything, or the steps that are wanted. `given`: seq, entry (bytes), proof and policy (texts), code, box (bytes; empty: erased),
// shown (what the page says, [what, text] each). Answers {steps, failed}: `failed` is the first step that did not
// pass, or "". A step is {id, state, ...facts}: "passed"; "failed" with `why`; "absent" where nothing could be checked.
export async function check(given, engine, wanted) {
  const found = {};
  const steps = [];
  for (const id of wanted || STEPS) {
    let step;
    try {
      step = await CHECKS[id](given, engine, found);
    } catch (error) {
      if (error.unsupported) throw error;
      step = { state: "failed", why: String(error.message) };
    }
    steps.push(Object.assign({ id }, step));
    if (step.state === "failed" && id === "record") break; // nothing else can be said of it
  }
  const failed = steps.find((step) => step.state === "failed");
  return { steps, failed: failed ? failed.id : "", entry: found.entry };
}

const passed = (facts) => Object.assign({ state: "passed" }, facts);
const absent = (facts) => Object.assign({ state: "absent" }, facts);

function must(true_, why) {
  if (!true_) throw new Error(why);
}

const CHECKS = {
  async record(given, engine, found) {
    const written = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(given.entry);
    const entry = JSON.parse(written);
    must(canonical(entry) === written, "not canonical");
    must(entry.seq === given.seq, "expected entry " + given.seq + ", found " + entry.seq);
    found.entry = entry;
    found.amount = (entry.postings || []).reduce((sum, posting) => sum + posting[4], 0);
    found.digest = hex(await engine.sha256(given.entry));
    return passed();
  },

  async inclusion(given, engine, found) {
    const proof = parseProof(given.proof);
    const checkpoint = parseCheckpoint(proof.note);
    found.checkpoint = checkpoint;
    must(proof.index === given.seq, "expected a proof of entry " + given.seq + ", found " + proof.index);
    const leaf = await engine.sha256(join(Uint8Array.of(0), given.entry));
    const root = await rootFrom(proof.index, checkpoint.size, leaf, proof.hashes, engine);
    must(equal(root, checkpoint.root), "expected root " + hex(checkpoint.root) + ", found " + hex(root));
    return passed({ size: checkpoint.size });
  },

  async signature(given, engine, found) {
    const checkpoint = checkpointOf(found);
    found.policy = await parsePolicy(given.policy, engine);
    const keys = found.policy.logs.filter((key) => key.name === checkpoint.origin && key.type === ED25519);
    must(keys.length, "expected a known log, found " + checkpoint.origin);
    let by = "";
    for (const key of keys) {
      for (const line of checkpoint.lines.filter((each) => isBy(each, key))) {
        must(await engine.verify(key.key, line.payload, utf8(checkpoint.text)), "the signature of " + key.name + " does not fit");
        by = key.name + "+" + hex(key.id);
      }
    }
    must(by, "expected a signature by " + checkpoint.origin + ", found none");
    return passed({ by });
  },

  async witnesses(given, engine, found) {
    const checkpoint = checkpointOf(found);
    const policy = found.policy || await parsePolicy(given.policy, engine);
    const seen = [], unread = [];
    for (const witness of policy.witnesses) {
      for (const line of checkpoint.lines.filter((each) => isBy(each, witness.key))) {
        if (witness.key.type !== COSIGNATURE) { unread.push(witness); continue; } // ML-DSA-44: no browser has it yet
        const time = line.payload.slice(0, 8).reduce((sum, each) => sum * 256 + each, 0);
        const said = utf8("cosignature/v1\ntime " + time + "\n" + checkpoint.text);
        const fits = await engine.verify(witness.key.key, line.payload.slice(8), said);
        must(fits, "the cosignature of " + witness.name + " does not fit");
        seen.push({ name: witness.name, time });
      }
    }
    const names = seen.map((each) => each.name).join(", ") || "none";
    if (!isWitnessed(policy, seen.concat(unread))) {
      return { state: "failed", why: "expected the quorum " + policy.quorum + ", found " + names, tooFew: true };
    }
    const facts = { seen, unread: unread.map((each) => each.name), at: witnessedAt(policy, seen) };
    return facts.at ? passed(facts) : absent(facts);
  },

  async receipt(given, engine, found) {
    const { kind, body } = found.entry;
    must(/^money\.(received|identified)$/.test(kind), "expected a gift, found " + kind);
    must(body.receipt, "the entry belongs to no code");
    const said = "sunledger/receipt/1\n" + found.entry.prev + "\n" + given.code.replace(/-/g, "") + "\n";
    const digest = hex(await engine.sha256(utf8(said)));
    must(digest === body.receipt, "expected " + body.receipt + ", found " + digest);
    return passed();
  },

  async donor(given, engine, found) {
    if (!given.box.length) return absent();
    const body = found.entry.body;
    const opened = await engine.openBox(utf8(given.code.replace(/-/g, "")), given.box);
    must(opened, "the box does not open with this code");
    const box = JSON.parse(new TextDecoder().decode(opened));
    const channel = await engine.sha256(
      utf8("sunledger/channel/1\n" + box.channel_salt + "\n" + canonical(box.channel) + "\n"));
    const donor = hex(await engine.sha256(utf8("sunledger/donor/1\n" + box.identity + "\n" + hex(channel) + "\n")));
    must(donor === body.donor, "expected " + body.donor + ", found " + donor);
    const said = box.channel;
    must(
      said.amount_fen === (body.right_fen || found.amount) && said.channel === body.channel && said.on === body.on,
      "the channel's record is of another gift");
    return passed({ channel: said.channel, reference: said.channel_ref || "" });
  },

  async shown(given, engine, found) {
    const { amount, entry, digest } = found;
    const sums = sumsByState(given.shown);
    const known = Object.keys(sums).map((state) => sums[state]).concat(amount, (sums.unconfirmed || 0) + (sums.confirmed || 0));
    const right = {
      amount: (text) => text === yuan(amount) || text.endsWith(" " + yuan(amount)),
      spoken: (text) => (text.startsWith("您的 " + spoken(amount)) || startsWithAmount(text, "Your " + yuan(amount)))
        && amountsIn(text).every((each) => known.includes(each)),
      remainder: (text) => amountsIn(text).every((each) => known.includes(each)),
      on: (text) => text === entry.body.on,
      seq: (text) => ["第 " + entry.seq + " 条", "entry " + entry.seq].includes(text.replace(/,/g, "")),
      sha256: (text) => text === digest,
    };
    // Each state with a part is told, with the sum of its parts.
    for (const state in sums) right["state:" + state] = (text) => text.endsWith(" " + yuan(sums[state]));
    for (const what in right) must(given.shown.some((each) => each[0] === what), "the page marks no " + what);
    for (const [what, text] of given.shown.filter((each) => !isPart(each))) {
      must(right[what] && right[what](text), "the page shows " + text + ", the entry says " + yuan(amount) + ", " + entry.body.on);
    }
    const parts = Object.keys(sums).reduce((sum, state) => sum + sums[state], 0);
    must(parts === amount, "the parts shown come to " + yuan(parts) + ", the entry says " + yuan(amount));
    return passed();
  },
};

const isPart = ([what]) => what.startsWith("part:");

// State → what the parts shown in it come to, in fen.
function sumsByState(shown) {
  const sums = {};
  for (const [what, text] of shown.filter(isPart)) {
    must(/^¥[\d,]+\.\d\d$/.test(text), "expected an amount, found " + text);
    sums[what.slice(5)] = (sums[what.slice(5)] || 0) + fen(text);
  }
  return sums;
}

// "¥1,234.50" or "1,234.50 元"; whole yuan may go without their fen.
export const fen = (text) => {
  const [whole, cents] = text.replace(/[^\d.]/g, "").split(".");
  return Number(whole) * 100 + Number(cents || 0);
};
// Of a sentence that has no other numbers.
const amountsIn = (text) => (text.match(/\d[\d,]*(\.\d\d)?/g) || []).map(fen);

// "Your ¥500 …" for ¥500.00: not for ¥5,000 or ¥500.50, which begin alike.
function startsWithAmount(text, wanted) {
  const short = wanted.replace(/\.00$/, "");
  return text.startsWith(short) && !/^[,.]?\d/.test(text.slice(short.length));
}

function checkpointOf(found) {
  must(found.checkpoint, "no checkpoint");
  return found.checkpoint;
}

function decimal(text) {
  must(/^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text)), "no number: " + text);
  return Number(text);
}

// c2sp.org/tlog-proof
function parseProof(text) {
  const cut = text.indexOf("\n\n");
  must(cut > 0, "no proof");
  const lines = text.slice(0, cut).split("\n");
  must(lines.shift() === "c2sp.org/tlog-proof@v1", "no proof");
  if (lines[0].startsWith("extra ")) lines.shift();
  must((lines[0] || "").startsWith("index "), "no index");
  const index = decimal(lines.shift().slice(6));
  const hashes = lines.map(fromBase64);
  must(hashes.length < 64 && hashes.every((each) => each.length === 32), "no hashes");
  return { index, hashes, note: text.slice(cut + 2) };
}

// c2sp.org/signed-note and tlog-checkpoint
function parseCheckpoint(note) {
  const cut = note.lastIndexOf("\n\n");
  must(cut > 0 && note.endsWith("\n"), "no signed note");
  const text = note.slice(0, cut + 1);
  const [origin, size, root, ...rest] = text.split("\n");
  must(rest.length === 1 && origin, "a checkpoint has three lines");
  const lines = note.slice(cut + 2, -1).split("\n").map((line) => {
    const parts = /^— (\S+) (\S+)$/.exec(line);
    must(parts, "no signature line");
    const data = fromBase64(parts[2]);
    return { name: parts[1], id: data.slice(0, 4), payload: data.slice(4) };
  });
  const checkpoint = { text, origin, size: decimal(size), root: fromBase64(root), lines };
  must(checkpoint.root.length === 32 && lines.length <= 100, "no checkpoint");
  return checkpoint;
}

// RFC 9162, section 2.1.3.2
async function rootFrom(index, size, leaf, hashes, engine) {
  must(index < size, "no leaf " + index + " in a tree of " + size);
  let [at, last, node] = [index, size - 1, leaf];
  for (const hash of hashes) {
    must(last > 0, "the proof is too long");
    if (at % 2 || at === last) {
      node = await engine.sha256(join(Uint8Array.of(1), hash, node));
      while (at % 2 === 0 && at) { at /= 2; last = Math.floor(last / 2); }
    } else {
      node = await engine.sha256(join(Uint8Array.of(1), node, hash));
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  must(last === 0, "the proof is too short");
  return node;
}

// c2sp.org/tlog-policy
async function parsePolicy(text, engine) {
  const policy = { logs: [], witnesses: [], groups: [], quorum: "" };
  for (const line of text.split("\n")) {
    const words = line.split(/[ \t]+/).filter(Boolean);
    if (!words.length || words[0].startsWith("#")) continue;
    if (words[0] === "log") policy.logs.push(await parseKey(words[1], engine));
    else if (words[0] === "witness") policy.witnesses.push({ name: words[1], key: await parseKey(words[2], engine) });
    else if (words[0] === "group") policy.groups.push({ name: words[1], rule: words[2], members: words.slice(3) });
    else if (words[0] === "quorum") policy.quorum = words[1];
    else throw new Error("no policy line: " + line);
  }
  must(policy.quorum, "a policy names its quorum");
  return policy;
}

async function parseKey(vkey, engine) {
  const [name, id, ...rest] = vkey.split("+");
  const data = fromBase64(rest.join("+"));
  const digest = await engine.sha256(join(utf8(name + "\n"), data));
  must(hex(digest.slice(0, 4)) === id, "the key of " + name + " has another id");
  const type = data[0], key = data.slice(1);
  must((type !== ED25519 && type !== COSIGNATURE) || isSound(key), "the key of " + name + " is none");
  return { name, id: digest.slice(0, 4), type, key };
}

// Browsers differ on Ed25519 keys of low order and on second spellings of a key; no honest key is either.
const LOW_ORDER = [
  "00".repeat(32), "01" + "00".repeat(31), "ec" + "ff".repeat(30) + "7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

export function isSound(key) {
  const y = key.slice();
  y[31] &= 0x7f; // the sign of x
  const isBelowP = y[31] !== 0x7f || y[0] < 0xed || y.slice(1, 31).some((each) => each !== 0xff);
  return key.length === 32 && isBelowP && !LOW_ORDER.includes(hex(y));
}

const isBy = (line, key) => line.name === key.name && equal(line.id, key.id);

function isWitnessed(policy, seen) {
  const met = new Set(seen.map((each) => each.name));
  for (const { name, rule, members } of policy.groups) {
    const needed = rule === "any" ? 1 : rule === "all" ? members.length : decimal(rule);
    if (members.filter((each) => met.has(each)).length >= needed) met.add(name);
  }
  return policy.quorum === "none" || met.has(policy.quorum);
}

// The latest moment at or after which enough witnesses cosigned, in seconds; 0 where too few did.
function witnessedAt(policy, seen) {
  const times = seen.map((each) => each.time).sort((a, b) => b - a);
  return times.find((time) => isWitnessed(policy, seen.filter((each) => each.time >= time))) || 0;
}
