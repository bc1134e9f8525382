// Hashes, signatures and the box: the browser's own cryptography where it has it, ours (own.js, fetched only then)
// where it has not: WebCrypto is absent on plain http, and has Ed25519 only in kernels of 2025 and later.

const INFO = new TextEncoder().encode("sunledger/box/1");
let own;

function load() {
  if (!own) own = import("./own.js").catch((error) => { throw Object.assign(error, { unsupported: true }); });
  return own;
}

// One engine for one check; `used` tells afterwards who did what: "native" or "own".
export function makeEngine() {
  const subtle = typeof crypto === "object" && crypto ? crypto.subtle : undefined;
  const used = {};
  // Whatever the browser's own code does not do, ours decides; it is as strict.
  async function by(what, native, ours) {
    if (subtle && used[what] !== "own") {
      try {
        const answer = await native();
        used[what] = "native";
        return answer;
      } catch (error) {
        used[what] = "own";
      }
    }
    used[what] = "own";
    return ours(await load());
  }
  return {
    used,
    sha256: (data) => by("hash", async () => new Uint8Array(await subtle.digest("SHA-256", data)), (mine) => mine.sha256(data)),
    verify: (key, signature, message) => by(
      "signature",
      async () => {
        const imported = await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
        return subtle.verify({ name: "Ed25519" }, imported, signature, message);
      },
      (mine) => mine.verify(key, signature, message)),
    // docs/formats.md, The box. null where it is not this code's.
    openBox: (code, box) => {
      const salt = box.slice(1, 17), sealed = box.slice(17);
      if (box[0] !== 1 || sealed.length < 16) return Promise.resolve(null);
      return by(
        "box",
        async () => {
          const source = await subtle.importKey("raw", code, "HKDF", false, ["deriveKey"]);
          const derived = { name: "HKDF", hash: "SHA-256", salt, info: INFO };
          const key = await subtle.deriveKey(derived, source, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
          const options = { name: "AES-GCM", iv: new Uint8Array(12), additionalData: INFO };
          return subtle.decrypt(options, key, sealed).then((data) => new Uint8Array(data), () => null);
        },
        (mine) => mine.openBox(code, salt, sealed, INFO));
    },
  };
}
