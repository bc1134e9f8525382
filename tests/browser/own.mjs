// Our own cryptography beside node's, and on published vectors. Reads vectors as JSON from standard input.
import crypto from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { modules, vectors } = JSON.parse(readFileSync(0, "utf8"));
const own = await import(pathToFileURL(modules + "/own.js").href);
const { makeEngine } = await import(pathToFileURL(modules + "/engine.js").href);
const { isSound } = await import(pathToFileURL(modules + "/proof.js").href);

const hex = (data) => Buffer.from(data).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
// Any stream of bytes will do, as long as it is the same in every run.
const drawn = (seed, size) => new Uint8Array(crypto.createHash("shake256", { outputLength: size || 1 }).update(seed).digest().subarray(0, size));
const wrong = [];
let compared = 0;
function compare(what, expected, found) {
  compared++;
  if (expected !== found) wrong.push(what + ": expected " + expected + ", found " + found);
}

for (let size = 0; size < 400; size++) {
  const data = drawn("hash " + size, size);
  for (const name of ["sha256", "sha512"]) {
    compare(name + " of " + size, crypto.createHash(name).update(data).digest("hex"), hex(own[name](data)));
  }
}

const INFO = Buffer.from("sunledger/box/1");
for (let size = 0; size < 200; size += 7) {
  const code = Buffer.from("0123456789ABCDE4"), salt = drawn("salt " + size, 16), plain = drawn("plain " + size, size);
  const key = Buffer.from(crypto.hkdfSync("sha256", code, salt, INFO, 32));
  const cipher = crypto.createCipheriv("aes-256-gcm", key, new Uint8Array(12));
  cipher.setAAD(INFO);
  const sealed = new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  compare("box of " + size, hex(plain), hex(own.openBox(new Uint8Array(code), salt, sealed, new Uint8Array(INFO)) || "none"));
  for (const at of [0, size, sealed.length - 1]) {
    const changed = sealed.slice();
    changed[at] ^= 1;
    compare("changed box of " + size, null, own.openBox(new Uint8Array(code), salt, changed, new Uint8Array(INFO)));
  }
}

for (let i = 0; i < 24; i++) {
  const seed = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), drawn("key " + i, 32)]);
  const secret = crypto.createPrivateKey({ key: seed, format: "der", type: "pkcs8" });
  const key = new Uint8Array(crypto.createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32));
  const message = drawn("message " + i, 17 * i), signature = new Uint8Array(crypto.sign(null, message, secret));
  compare("signature " + i, true, own.verify(key, signature, message));
  signature[(i * 11) % 64] ^= 1 << i % 8;
  compare("changed signature " + i, false, own.verify(key, signature, message));
}

const accepted = { own: 0, native: 0 };
for (const { number, key, sig, msg, flags } of vectors) {
  const said = new Set(flags || []), message = new TextEncoder().encode(msg);
  const unsound = said.has("low_order_A") || said.has("non_canonical_A");
  compare("key of vector " + number, !unsound, isSound(bytes(key)));
  const right = !unsound && !said.has("low_order_residue") && !said.has("non_canonical_R");
  const found = own.verify(bytes(key), bytes(sig), message);
  compare("vector " + number, right, found);
  accepted.own += found;
  const engine = makeEngine();
  if (!unsound) accepted.native += await engine.verify(bytes(key), bytes(sig), message) && engine.used.signature === "native";
}
console.log(JSON.stringify({ compared, wrong, accepted }));
