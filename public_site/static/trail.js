// The way of the money, entry by entry: fetched only when a donor asks for it. The dossier holds every entry with its
// proof; positions are followed here anew, and what the page says of each step is compared with what comes out.
import { check, fen, yuan } from "./proof.js";

// A zip of stored files, as docs/formats.md says a dossier is: name → bytes.
export function unzip(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const files = {};
  for (let at = 0; at + 30 <= data.length && view.getUint32(at, true) === 0x04034b50;) {
    const [method, size, name, extra] = [[8, 2], [18, 4], [26, 2], [28, 2]].map(([offset, bytes]) =>
      bytes === 2 ? view.getUint16(at + offset, true) : view.getUint32(at + offset, true));
    const begin = at + 30 + name + extra;
    if (method !== 0 || begin + size > data.length) throw new Error("no dossier");
    files[new TextDecoder().decode(data.slice(at + 30, at + 30 + name))] = data.slice(begin, begin + size);
    at = begin + size;
  }
  return files;
}

const effectOf = (entry) => entry.seq - (entry.body.part ? entry.body.part[0] - 1 : 0);
const INSIDE = ["fund", "project"]; // where money waits; elsewhere the entry that put it there tells it apart, as on the page

// Where the gift's positions went: part of each effect, and what rests where. Postings take positions [src_lo, +qty)
// of a line to [dst_lo, +qty) of another; nothing is taken twice.
export function follow(gift, moves) {
  const parts = {}, resting = [];
  const credit = (address, lo, qty, entry) => resting.push({ address, lo, qty, effect: effectOf(entry) });
  for (const [, , address, lo, qty] of gift.postings) credit(address, lo, qty, gift);
  for (const entry of moves.filter((each) => each.postings).sort((a, b) => a.seq - b.seq)) {
    for (const [src, from, dst, to, qty] of entry.postings) {
      for (const span of resting.filter((each) => each.address === src && each.effect !== effectOf(entry))) {
        const lo = Math.max(span.lo, from), hi = Math.min(span.lo + span.qty, from + qty);
        if (lo >= hi) continue;
        resting.splice(resting.indexOf(span), 1);
        if (lo > span.lo) resting.push(Object.assign({}, span, { qty: lo - span.lo }));
        if (hi < span.lo + span.qty) resting.push(Object.assign({}, span, { lo: hi, qty: span.lo + span.qty - hi }));
        credit(dst, to + lo - from, hi - lo, entry);
        parts[effectOf(entry)] = (parts[effectOf(entry)] || 0) + hi - lo;
      }
    }
  }
  const places = {};
  for (const { address, qty, effect } of resting) {
    const place = INSIDE.includes(address.split(":")[0]) ? address : address + " " + effect;
    places[place] = (places[place] || 0) + qty;
  }
  return { parts, rests: Object.keys(places).map((place) => [kindOf(place), places[place]]) };
}

// Accounts of each kind hold money in one state, that of payees in two.
const KINDS = {
  held: "fund", allocated: "project", in_transit: "transit", unconfirmed: "payees", confirmed: "payees", refunded: "refunds",
  fees: "fees", lost: "losses", voided: "voided",
};
const kindOf = (place) => place.split(":")[0].replace("suspense", "voided"); // as a gift it is voided

// "kind amount", in order; with `isSummed` one of each kind.
function told(rests, isSummed) {
  const sums = {};
  for (const [kind, qty] of rests) sums[kind] = (sums[kind] || 0) + qty;
  const pairs = isSummed ? Object.keys(sums).map((kind) => [kind, sums[kind]]) : rests;
  return pairs.map(([kind, qty]) => kind + " " + yuan(qty)).sort().join(", ");
}

// `shown`: parts ([number of the step, text] each), rests ([state, text] each), isSummed (small ones are one).
// Answers {count, failed}: how many entries were checked, what did not fit ("" where all did).
export async function checkTrail(given, engine) {
  const files = unzip(given.dossier);
  const names = Object.keys(files).filter((name) => name.startsWith("proofs/"));
  let note = "";
  const entries = [];
  for (const name of names) {
    const seq = Number(name.slice(7, -11));
    const proof = new TextDecoder().decode(files[name]);
    const under = proof.slice(proof.indexOf("\n\n"));
    if (note && under !== note) return { count: entries.length, failed: "proofs under two checkpoints" };
    const steps = note ? ["record", "inclusion"] : ["record", "inclusion", "signature", "witnesses"];
    note = under;
    const entry = files["entries/" + seq + ".json"] || new Uint8Array(0);
    const result = await check({ seq, entry, proof, policy: given.policy }, engine, steps);
    if (result.failed) return { count: entries.length, failed: "entry " + seq + ": " + result.failed };
    entries.push(result.entry);
  }
  const gift = entries.find((entry) => entry.seq === given.seq);
  if (!gift) return { count: entries.length, failed: "the gift is not in the dossier" };
  const { parts, rests } = follow(gift, entries.filter((entry) => entry !== gift));
  for (const [seq, text] of given.shown.parts) {
    if (yuan(parts[seq] || 0) !== text) {
      return { count: entries.length, failed: "step " + seq + ": the page shows " + text + ", the entries give " + yuan(parts[seq] || 0) };
    }
  }
  const { isSummed } = given.shown;
  const [page, log] = [given.shown.rests.map(([state, text]) => [KINDS[state], fen(text)]), rests].map((each) => told(each, isSummed));
  if (page !== log) return { count: entries.length, failed: "the page shows " + page + ", the entries give " + log };
  return { count: entries.length, failed: "" };
}

// The same for the page that shows the gift. Raises an error where the dossier cannot be had just now.
export async function checkPage({ code, seq }, engine) {
  const body = JSON.stringify({ code, seq: Number(seq) });
  const options = { method: "POST", body, headers: { "Content-Type": "application/json" }, credentials: "omit" };
  const [dossier, policy] = await Promise.all([fetch("/api/v1/dossier", options), fetch("/log/policy")]);
  if (!dossier.ok || !policy.ok) throw new Error("offline");
  const text = (each) => each.textContent.trim();
  const all = (what) => Array.from(document.querySelectorAll(what));
  const shown = {
    parts: all("[data-part-of]").map((each) => [each.dataset.partOf, text(each)]),
    rests: all('[data-shown^="part:"]').map((each) => [each.dataset.shown.slice(5), text(each)]),
    isSummed: all("[data-rest]").length > 0,
  };
  const data = new Uint8Array(await dossier.arrayBuffer());
  return checkTrail({ seq: Number(seq), policy: await policy.text(), shown, dossier: data }, engine);
}
