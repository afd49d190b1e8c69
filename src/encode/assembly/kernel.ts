/**
 * The kernel: bytes of a log in, finished `_bulk` NDJSON out. AssemblyScript, compiled to wasm SIMD at install;
 * one instance a slot, working in the slot's own memory. `test/encode/reference.ts` says the same in plain TypeScript.
 *
 * Memory (the host keeps the same map in `encode/layout.ts`):
 *
 *      1,024  RESULT    6 × u32: consumed, documents, cut lines, stop, skipping, searched
 *      4,096  ESCAPES   128 × 8 bytes: how JSON writes an ASCII character, and in the last byte how long that is
 *      8,192  TABLE     4,096 × 2 base64url characters, one pair for 12 bits
 *     16,384  PREFIX    action line and document up to the message, with a hole for the second part of the `_id`
 *     65,536  SUFFIX    from the message's closing quote to the number of `log.offset`
 *    131,072  INPUT, then OUTPUT; both end with 64 bytes that a 16-byte store or load may touch
 */
const RESULT: usize = 1024;
const ESCAPES: usize = 4096;
const TABLE: usize = 8192;
const PREFIX: usize = 16384;
const SUFFIX: usize = 65536;

const STOP_INPUT: u32 = 0;
const STOP_OUTPUT: u32 = 1;
const STOP_DOCUMENTS: u32 = 2;

let prefixBytes: usize = 0;
let suffixBytes: usize = 0;
/** Where the offset's 8 and the hash's 8 characters stand inside the prefix; 0: documents without an `_id`. */
let idHole: usize = 0;
let lineBytesMax: usize = 0;

// Source of the alphabet: RFC 4648 section 5. Elasticsearch keeps such an `_id` as the bytes it stands for.
@inline function base64url(v: u32): u32 {
  if (v < 26) return 65 + v;
  if (v < 52) return 71 + v;
  if (v < 62) return v - 4;
  return v == 62 ? 45 : 95;
}

export function initialize(maxLine: usize): void {
  lineBytesMax = maxLine;
  for (let c: u32 = 0; c < 128; c++) store<u64>(ESCAPES + (<usize>c << 3), escapeOf(c));
  for (let v: u32 = 0; v < 4096; v++) {
    store<u16>(TABLE + (<usize>v << 1), <u16>(base64url(v >> 6) | (base64url(v & 63) << 8)));
  }
}

export function template(prefix: usize, suffix: usize, hole: usize): void {
  prefixBytes = prefix;
  suffixBytes = suffix;
  idHole = hole;
}

/** The lower 48 bits as 8 characters, most significant first, so that the text grows with the number. */
@inline function put48(p: usize, v: u64): void {
  store<u64>(p,
    <u64>load<u16>(TABLE + (<usize>((v >> 36) & 4095) << 1)) |
    (<u64>load<u16>(TABLE + (<usize>((v >> 24) & 4095) << 1)) << 16) |
    (<u64>load<u16>(TABLE + (<usize>((v >> 12) & 4095) << 1)) << 32) |
    (<u64>load<u16>(TABLE + (<usize>(v & 4095) << 1)) << 48));
}

@inline function put32(p: usize, v: u32): usize {
  const digits: usize = v < 10 ? 1 : v < 100 ? 2 : v < 1000 ? 3 : v < 10000 ? 4 : v < 100000 ? 5 : v < 1000000 ? 6
    : v < 10000000 ? 7 : v < 100000000 ? 8 : v < 1000000000 ? 9 : 10;
  let q = p + digits;
  while (v >= 10) { const t = v / 10; q--; store<u8>(q, <u8>(48 + v - t * 10)); v = t; }
  store<u8>(q - 1, <u8>(48 + v));
  return p + digits;
}

function putNumber(p: usize, v: u64): usize {
  if (v < 0x100000000) return put32(p, <u32>v);
  const high = v / 1000000000;
  const low = <u32>(v - high * 1000000000);
  p = high < 0x100000000 ? put32(p, <u32>high) : putNumber(p, high);
  let q = p + 9;
  let t = low;
  while (q > p) { q--; store<u8>(q, <u8>(48 + t % 10)); t /= 10; }
  return p + 9;
}

/** Copies whole 16-byte blocks: for a hundred bytes a call of `memory.copy` costs more than the copying. */
@inline function copy(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** The first newline in [p, end), or `end`. */
@inline function findNewline(p: usize, end: usize): usize {
  const newline = i8x16.splat(10);
  while (p < end) {
    const m = <u32>i8x16.bitmask(i8x16.eq(v128.load(p), newline));
    if (m) { const q = p + ctz(m); return q < end ? q : end; }
    p += 16;
  }
  return end;
}

const P1: u64 = 0x9E3779B185EBCA87;
const P2: u64 = 0xC2B2AE3D27D4EB4F;
const P3: u64 = 0x165667B19E3779F9;
const P4: u64 = 0x85EBCA77C2B2AE63;
const P5: u64 = 0x27D4EB2F165667C5;
@inline function round(h: u64, v: u64): u64 { return rotl<u64>(h + v * P2, 31) * P1; }
@inline function merge(h: u64, v: u64): u64 { return (h ^ round(0, v)) * P1 + P4; }

/** XXH64 with seed 0. Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */
@inline function xxh64(p: usize, length: usize): u64 {
  const end = p + length;
  let h: u64;
  if (length >= 32) {
    let a: u64 = P1 + P2, b: u64 = P2, c: u64 = 0, d: u64 = 0 - P1;
    const last = end - 32;
    do {
      a = round(a, load<u64>(p)); b = round(b, load<u64>(p, 8));
      c = round(c, load<u64>(p, 16)); d = round(d, load<u64>(p, 24));
      p += 32;
    } while (p <= last);
    h = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    h = merge(merge(merge(merge(h, a), b), c), d);
  } else {
    h = P5;
  }
  h += <u64>length;
  while (p + 8 <= end) { h = rotl<u64>(h ^ round(0, load<u64>(p)), 27) * P1 + P4; p += 8; }
  if (p + 4 <= end) { h = rotl<u64>(h ^ (<u64>load<u32>(p) * P1), 23) * P2 + P3; p += 4; }
  while (p < end) { h = rotl<u64>(h ^ (<u64>load<u8>(p) * P5), 11) * P1; p++; }
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}
export function hash(p: usize, length: usize): u64 { return xxh64(p, length); }

/** Length of the valid UTF-8 sequence at p (a byte ≥ 0x80), or minus the bytes to replace by one U+FFFD: the
 *  "maximal subpart" of Unicode 15, section 3.9, as the WHATWG decoder does. */
@inline function sequence(p: usize, end: usize): i32 {
  const c = <u32>load<u8>(p);
  if (c < 0xC2 || c > 0xF4) return -1;
  let low: u32 = 0x80, high: u32 = 0xBF;
  if (c == 0xE0) low = 0xA0; else if (c == 0xED) high = 0x9F; else if (c == 0xF0) low = 0x90; else if (c == 0xF4) high = 0x8F;
  if (p + 1 >= end) return -1;
  const d = <u32>load<u8>(p, 1);
  if (d < low || d > high) return -1;
  if (c < 0xE0) return 2;
  if (p + 2 >= end || (<u32>load<u8>(p, 2) & 0xC0) != 0x80) return -2;
  if (c < 0xF0) return 3;
  if (p + 3 >= end || (<u32>load<u8>(p, 3) & 0xC0) != 0x80) return -3;
  return 4;
}

/** As `JSON.stringify` writes them: short where JSON has a letter, else `\u00XX` with lower-case digits. */
function escapeOf(c: u32): u64 {
  if (c == 0x22 || c == 0x5C) return 0x5C | (<u64>c << 8) | (2 << 56);
  if (c >= 0x20) return <u64>c | (1 << 56);
  const letter: u64 = c == 9 ? 0x74 : c == 10 ? 0x6E : c == 13 ? 0x72 : c == 8 ? 0x62 : c == 12 ? 0x66 : 0;
  if (letter) return 0x5C | (letter << 8) | (2 << 56);
  const digit = c & 15;
  return <u64>0x3030755C | (<u64>(48 + (c >> 4)) << 32) | (<u64>(digit < 10 ? 48 + digit : 87 + digit) << 40) | (6 << 56);
}

/** JSON string content of [p, end) to o; the caller has seen that it fits. */
@inline function escape(p: usize, end: usize, o: usize): usize {
  const quote = i8x16.splat(0x22), backslash = i8x16.splat(0x5C), space = i8x16.splat(0x20);
  while (p < end) {
    const v = v128.load(p);
    // The top bit of each byte of v itself marks what is not ASCII.
    let m = <u32>i8x16.bitmask(v128.or(v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.lt_u(v, space)), v));
    v128.store(o, v);
    const left = end - p;
    if (left < 16) m &= (1 << <u32>left) - 1;
    if (m == 0) {
      const step = left < 16 ? left : 16;
      p += step; o += step;
      continue;
    }
    // One after the other what the mask shows; what stands behind each is copied along, 16 bytes at once.
    const block = p;
    const blockEnd = left < 16 ? end : p + 16;
    let c: u32;
    do {
      const at = block + <usize>ctz(m);
      o += at - p;
      p = at;
      c = <u32>load<u8>(p);
      if (c >= 0x80) break;
      const written = load<u64>(ESCAPES + (<usize>c << 3));
      store<u64>(o, written);
      o += <usize>(written >> 56);
      p++;
      v128.store(o, v128.load(p));
      m &= m - 1;
    } while (m);
    if (m == 0) {
      o += blockEnd - p;
      p = blockEnd;
      continue;
    }
    do {
      const n = sequence(p, end);
      if (n > 0) {
        // Four bytes in any case: what is too much is written over next.
        store<u32>(o, load<u32>(p));
        p += n; o += n;
      } else {
        store<u32>(o, 0xBDBFEF);
        p -= n; o += 3;
      }
      c = <u32>load<u8>(p);
    } while (p < end && c >= 0x80);
  }
  return o;
}

/** How many bytes `escape` would write: asked only where the worst case does not fit. */
function escapedBytes(p: usize, end: usize): usize {
  let n: usize = 0;
  while (p < end) {
    const c = <u32>load<u8>(p);
    if (c >= 0x80) {
      const s = sequence(p, end);
      if (s > 0) { n += s; p += s; } else { n += 3; p -= s; }
    } else {
      n += <usize>(load<u64>(ESCAPES + (<usize>c << 3)) >> 56);
      p++;
    }
  }
  return n;
}

/** Where a line that is too long is cut: at most `lineBytesMax`, and before a character that would be cut in two.
 *  Looks at two bytes behind the limit at most, so that the answer does not depend on how much was read. */
function cutAt(start: usize, end: usize): usize {
  const limit = start + lineBytesMax;
  let p = limit;
  for (let back = 0; back < 3 && p > start && (load<u8>(p) & 0xC0) == 0x80; back++) p--;
  return p > start && p < limit && load<u8>(p) >= 0xC2 && <usize>abs(sequence(p, end)) > limit - p ? p : limit;
}

/** `,"flags":["truncated"]` behind the offset of a line that was cut: `log.flags`, as Filebeat names it. */
@inline function putTruncated(o: usize): usize {
  store<u64>(o, 0x227367616C66222C);
  store<u64>(o, 0x636E757274225B3A, 8);
  store<u32>(o, 0x64657461, 16);
  store<u16>(o, 0x5D22, 20);
  return o + 22;
}

/**
 * Encodes the lines of [input, input + length) to [output, outputEnd).
 *
 * @param offset   of `input` within its generation, for `_id` and `log.offset`
 * @param documentsMax  stop after so many
 * @param final    1: the generation ends here, a last line without a newline is a line
 * @param skipping 1: `input` stands inside a line that was cut; its rest is no document
 * @returns        the end of what was written; see RESULT for the rest
 */
export function encode(input: usize, length: usize, output: usize, outputEnd: usize, offset: u64, documentsMax: u32, final: u32, skipping: u32): usize {
  const end = input + length;
  let p = input, o = output;
  let documents: u32 = 0, cuts: u32 = 0, stop: u32 = STOP_INPUT;
  let searched = input;
  const overhead = prefixBytes + suffixBytes + 64;

  while (p < end) {
    if (skipping) {
      const q = findNewline(p, end);
      if (q == end) { p = end; break; }
      p = q + 1;
      skipping = 0;
      continue;
    }
    if (documents == documentsMax) { stop = STOP_DOCUMENTS; break; }

    const limit = min(end, p + lineBytesMax + 2);
    const newline = findNewline(p, limit);
    const found = newline < limit;
    if (!found && limit == end && end - p < lineBytesMax + 2 && !final) { searched = end; break; }

    let stopAt = newline;
    if (found && stopAt > p && load<u8>(stopAt - 1) == 13) stopAt--;
    const cut = stopAt - p > lineBytesMax;
    if (cut) stopAt = cutAt(p, stopAt);

    const room = outputEnd - o;
    if ((stopAt - p) * 6 + overhead > room && escapedBytes(p, stopAt) + overhead > room) { stop = STOP_OUTPUT; break; }

    copy(o, PREFIX, prefixBytes);
    if (idHole) {
      put48(o + idHole, offset + <u64>(p - input));
      put48(o + idHole + 8, xxh64(p, stopAt - p));
    }
    o = escape(p, stopAt, o + prefixBytes);
    copy(o, SUFFIX, suffixBytes);
    o = putNumber(o + suffixBytes, offset + <u64>(p - input));
    if (cut) { o = putTruncated(o); cuts++; }
    store<u32>(o, 0x0A7D7D); // }}\n
    o += 3;
    documents++;

    if (found) {
      p = newline + 1;
    } else {
      p = limit;
      // At a generation's end without a newline there is nothing left to skip once the input is used up.
      skipping = cut ? 1 : 0;
    }
  }
  if (searched < p) searched = p;

  store<u32>(RESULT, <u32>(p - input));
  store<u32>(RESULT, documents, 4);
  store<u32>(RESULT, cuts, 8);
  store<u32>(RESULT, stop, 12);
  store<u32>(RESULT, skipping, 16);
  store<u32>(RESULT, <u32>(searched - input), 20);
  return o;
}
