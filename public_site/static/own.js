// Cryptography for browsers that have none of it: SHA-2 (FIPS 180-4), HMAC, HKDF (RFC 5869), AES-256-GCM (SP 800-38D),
// Ed25519 verification (RFC 8032). Small before fast, and only for public data and the reader's own code: nothing here
// hides how long it takes. Needs BigInt; a kernel without it cannot load this file, and the page says so.

const MASK = (1n << 64n) - 1n;

// The first 64 bits behind the point of a prime's square (2) or cube (3) root: where SHA-2 has its constants from.
function fraction(prime, root) {
  const wanted = BigInt(prime) << BigInt(64 * root);
  let low = 0n, high = 1n << 69n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if ((root === 2 ? middle * middle : middle * middle * middle) <= wanted) low = middle; else high = middle;
  }
  return low & MASK;
}

const PRIMES = [];
for (let n = 2; PRIMES.length < 80; n++) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const K64 = PRIMES.map((prime) => fraction(prime, 3));
const H64 = PRIMES.slice(0, 8).map((prime) => fraction(prime, 2));
const upper = (word) => Number(word >> 32n) | 0; // SHA-256 uses the first 32 of the same bits
const K32 = K64.slice(0, 64).map(upper);
const H32 = H64.map(upper);

function padded(data, block) {
  const size = Math.ceil((data.length + 1 + block / 8) / block) * block;
  const all = new Uint8Array(size);
  all.set(data);
  all[data.length] = 0x80;
  new DataView(all.buffer).setUint32(size - 4, data.length * 8); // data here is far below 512 MB
  return new DataView(all.buffer);
}

export function sha256(data) {
  const view = padded(data, 64), state = H32.slice(), w = new Int32Array(64);
  const ror = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let i = 0; i < 64; i++) {
      if (i < 16) { w[i] = view.getInt32(at + 4 * i); continue; }
      const a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + (ror(a, 7) ^ ror(a, 18) ^ (a >>> 3)) + (ror(b, 17) ^ ror(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const t = (h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + K32[i] + w[i]) | 0;
      const u = ((ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t) | 0, c, b, a, (t + u) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = (state[i] + word) | 0; });
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => out.setInt32(4 * i, word));
  return new Uint8Array(out.buffer);
}

export function sha512(data) {
  const view = padded(data, 128), state = H64.slice();
  const ror = (x, n) => (x >> n) | ((x << (64n - n)) & MASK);
  const word = (at) => (BigInt(view.getUint32(at)) << 32n) | BigInt(view.getUint32(at + 4));
  for (let at = 0; at < view.byteLength; at += 128) {
    const w = [];
    for (let i = 0; i < 80; i++) {
      if (i < 16) { w.push(word(at + 8 * i)); continue; }
      const a = w[i - 15], b = w[i - 2];
      w.push((w[i - 16] + w[i - 7] + (ror(a, 1n) ^ ror(a, 8n) ^ (a >> 7n)) + (ror(b, 19n) ^ ror(b, 61n) ^ (b >> 6n))) & MASK);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 80; i++) {
      const t = h + (ror(e, 14n) ^ ror(e, 18n) ^ ror(e, 41n)) + ((e & f) ^ ((e ^ MASK) & g)) + K64[i] + w[i];
      const u = (ror(a, 28n) ^ ror(a, 34n) ^ ror(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t) & MASK, c, b, a, (t + u) & MASK];
    }
    [a, b, c, d, e, f, g, h].forEach((each, i) => { state[i] = (state[i] + each) & MASK; });
  }
  return bytesOf(state.reduce((all, each) => (all << 64n) | each, 0n), 64);
}

// Big-endian bytes of a number, and back.
function bytesOf(number, size) {
  return Uint8Array.from(number.toString(16).padStart(2 * size, "0").match(/../g), (pair) => parseInt(pair, 16));
}
const numberOf = (data) => data.reduce((all, each) => (all << 8n) | BigInt(each), 0n);
const little = (data) => numberOf(data.slice().reverse());

function join(a, b) {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

// --- the box ---

function hmac(key, data) {
  const block = new Uint8Array(64); // every key here is at most that long
  block.set(key);
  return sha256(join(block.map((each) => each ^ 0x5c), sha256(join(block.map((each) => each ^ 0x36), data))));
}

// AES's S-box: the inverse in GF(2^8), then an affine map.
const SBOX = new Uint8Array(256);
for (let p = 1, q = 1, i = 0; i < 255; i++) {
  p ^= (p << 1) ^ (p & 0x80 ? 0x11b : 0); // times 3
  p &= 0xff;
  q ^= q << 1; q ^= q << 2; q ^= q << 4; q &= 0xff; if (q & 0x80) q ^= 0x09; // divided by 3
  const rol = (n) => ((q << n) | (q >> (8 - n))) & 0xff;
  SBOX[p] = q ^ rol(1) ^ rol(2) ^ rol(3) ^ rol(4) ^ 0x63;
}
SBOX[0] = 0x63;
const twice = (x) => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;

function expanded(key) {
  const words = [];
  for (let i = 0; i < 8; i++) words.push([...key.slice(4 * i, 4 * i + 4)]);
  for (let i = 8, round = 1; i < 60; i++) {
    let word = words[i - 1].slice();
    if (i % 8 === 0) {
      word = [...word.slice(1), word[0]].map((each) => SBOX[each]);
      word[0] ^= round;
      round = twice(round);
    } else if (i % 8 === 4) {
      word = word.map((each) => SBOX[each]);
    }
    words.push(word.map((each, j) => each ^ words[i - 8][j]));
  }
  return words;
}

function encryptBlock(words, block) {
  const mix = (state, round) => state.map((each, i) => each ^ words[4 * round + (i >> 2)][i & 3]);
  let state = mix([...block], 0);
  for (let round = 1; round <= 14; round++) {
    state = state.map((_, i) => SBOX[state[(i + 4 * (i & 3)) & 15]]); // SubBytes and ShiftRows
    if (round < 14) {
      state = state.map((each, i) => {
        const [a, b, c] = [1, 2, 3].map((n) => state[(i & 12) | ((i + n) & 3)]);
        return twice(each) ^ twice(a) ^ a ^ b ^ c;
      });
    }
    state = mix(state, round);
  }
  return Uint8Array.from(state);
}

function ghash(h, data) {
  let y = 0n;
  for (let at = 0; at < data.length; at += 16) {
    y ^= numberOf(data.slice(at, at + 16));
    let product = 0n;
    for (let i = 127n, v = h; i >= 0n; i--) {
      if ((y >> i) & 1n) product ^= v;
      v = (v >> 1n) ^ (v & 1n ? 0xe1n << 120n : 0n);
    }
    y = product;
  }
  return y;
}

function whole(data) { // filled up to blocks with zeros
  const all = new Uint8Array(Math.ceil(data.length / 16) * 16);
  all.set(data);
  return all;
}

// Everything sealed under a key of its own, so the nonce is zero. null where the tag does not fit.
export function openBox(code, salt, sealed, info) {
  const words = expanded(hmac(hmac(salt, code), join(info, Uint8Array.of(1))));
  const data = sealed.slice(0, -16), tag = sealed.slice(-16);
  const keystream = (counter) => {
    const block = new Uint8Array(16);
    new DataView(block.buffer).setUint32(12, counter);
    return encryptBlock(words, block);
  };
  const lengths = bytesOf((BigInt(info.length * 8) << 64n) | BigInt(data.length * 8), 16);
  const hashed = ghash(numberOf(encryptBlock(words, new Uint8Array(16))), join(join(whole(info), whole(data)), lengths));
  if ((hashed ^ numberOf(keystream(1))) !== numberOf(tag)) return null;
  const plain = data.slice();
  for (let at = 0; at < data.length; at += 16) {
    const stream = keystream(at / 16 + 2);
    for (let i = at; i < Math.min(at + 16, data.length); i++) plain[i] ^= stream[i - at];
  }
  return plain;
}

// --- Ed25519 ---

const P = (1n << 255n) - 19n;
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;
const mod = (x) => { const rest = x % P; return rest < 0n ? rest + P : rest; };

function power(base, exponent) {
  let result = 1n;
  for (let square = base; exponent; exponent >>= 1n, square = mod(square * square)) {
    if (exponent & 1n) result = mod(result * square);
  }
  return result;
}

const inverse = (x) => power(mod(x), P - 2n);
const D = mod(-121665n * inverse(121666n));
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

// The point with this encoding as [X, Y, Z, T]; null where it is none, or one of those written in two ways.
function pointOf(encoded) {
  const number = little(encoded), sign = number >> 255n, y = number & ((1n << 255n) - 1n);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT_OF_MINUS_1);
  if (mod(x * x) !== square || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

// RFC 8032, section 5.1.4
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2)), c = mod(2n * D * mod(t1 * t2)), d = mod(2n * z1 * z2);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

const NEUTRAL = [0n, 1n, 1n, 0n];
const negative = ([x, y, z, t]) => [mod(-x), y, z, mod(-t)];
const BASE = pointOf(bytesOf(mod(4n * inverse(5n)), 32).reverse());

// Whether [S]B = R + [k]A, as RFC 8032, section 5.1.7 without cofactor; keys of low order are refused.
export function verify(key, signature, message) {
  const a = key.length === 32 ? pointOf(key) : null;
  if (!a || signature.length !== 64) return false;
  let eight = a;
  for (let i = 0; i < 3; i++) eight = add(eight, eight);
  const s = little(signature.slice(32));
  if (eight[0] === 0n || s >= ORDER) return false;
  const k = little(sha512(join(signature.slice(0, 32), join(key, message)))) % ORDER;
  const minus = negative(a), table = [NEUTRAL, BASE, minus, add(BASE, minus)];
  let sum = NEUTRAL;
  for (let i = 252n; i >= 0n; i--) {
    sum = add(sum, sum);
    const which = Number((s >> i) & 1n) + 2 * Number((k >> i) & 1n);
    if (which) sum = add(sum, table[which]);
  }
  const z = inverse(sum[2]), x = mod(sum[0] * z), y = mod(sum[1] * z);
  return bytesOf(y | ((x & 1n) << 255n), 32).reverse().every((each, i) => each === signature[i]);
}
