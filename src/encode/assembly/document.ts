/**
 * What both lanes of the kernel write a document with, and the map of the memory that they work in.
 *
 * The host keeps the same map in `encode/layout.ts`:
 *
 *      1,024  RESULT    7 × u32: consumed, documents, cut lines, stop, skipping, searched, skipped
 *      4,096  ESCAPES   128 × 8 bytes: how JSON writes an ASCII character, and in the last byte how long that is
 *      8,192  TABLE     4,096 × 2 base64url characters, one pair for 12 bits
 *     16,384  PREFIX    action line and document up to the message, with a hole for the second part of the `_id`
 *     65,536  SUFFIX    from the message's closing quote to the number of `log.offset`
 *    131,072  INPUT, then OUTPUT; both end with 64 bytes that a 32-byte store or load may touch
 */
export const RESULT: usize = 1024;
export const ESCAPES: usize = 4096;
export const TABLE: usize = 8192;
export const PREFIX: usize = 16384;
export const SUFFIX: usize = 65536;

/** Where the input begins: at a line's start, inside a line that was cut, or in a hole. */
export const IN_CUT: u32 = 1;
export const IN_HOLE: u32 = 2;

/** So many NUL bytes where a line would begin are a hole, not text: what a node that went down leaves, a block of 512 at
 *  least. `base/limits.ts` has it too. */
export const HOLE_BYTES_MIN: usize = 512;

export const STOP_INPUT: u32 = 0;
export const STOP_OUTPUT: u32 = 1;
export const STOP_DOCUMENTS: u32 = 2;

export let prefixBytes: usize = 0;
export let suffixBytes: usize = 0;
/** Where the offset's 8 and the hash's 8 characters stand inside the prefix; 0: documents without an `_id`. */
export let idHole: usize = 0;
export let lineBytesMax: usize = 0;
/** NUL bytes of holes that this call has passed: no local, for the hot loop has none to spare. */
export let skipped: usize = 0;

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
@inline export function put48(p: usize, v: u64): void {
  store<u64>(p,
    <u64>load<u16>(TABLE + (<usize>((v >> 36) & 4095) << 1)) |
    (<u64>load<u16>(TABLE + (<usize>((v >> 24) & 4095) << 1)) << 16) |
    (<u64>load<u16>(TABLE + (<usize>((v >> 12) & 4095) << 1)) << 32) |
    (<u64>load<u16>(TABLE + (<usize>(v & 4095) << 1)) << 48));
}

/** The 8 decimal digits of v < 10^8, the most significant in the lowest byte: two halves, then four, then eight at once. */
@inline function digits8(v: u32): u64 {
  const high = v / 10000;
  let x = <u64>high | (<u64>(v - high * 10000) << 32);
  let q = ((x * 10486) >> 20) & 0x0000007F0000007F;
  x = q | ((x - q * 100) << 16);
  q = ((x * 103) >> 10) & 0x000F000F000F000F;
  return q | ((x - q * 10) << 8);
}

const ZEROS: u64 = 0x3030303030303030;

/** May write 8 bytes behind p, whatever the number. */
export function putNumber(p: usize, v: u64): usize {
  if (v >= 100000000) {
    const high = v / 100000000;
    p = putNumber(p, high);
    store<u64>(p, digits8(<u32>(v - high * 100000000)) | ZEROS);
    return p + 8;
  }
  const digits = digits8(<u32>v);
  // Of the last digit one bit more, so that zero has one.
  const leading = ctz(digits | (1 << 63)) >> 3;
  store<u64>(p, (digits | ZEROS) >> (leading << 3));
  return p + 8 - <usize>leading;
}

/** Copies whole 32-byte blocks: for a hundred bytes a call of `memory.copy` costs more than the copying. */
@inline export function copy(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 32) {
    const a = v128.load(from + i), b = v128.load(from + i, 16);
    v128.store(to + i, a);
    v128.store(to + i, b, 16);
  }
}

/** Behind the NUL bytes from p on, or `end`. */
export function endOfNuls(p: usize, end: usize): usize {
  while (p + 64 <= end) {
    if (v128.any_true(v128.or(v128.or(v128.load(p), v128.load(p, 16)), v128.or(v128.load(p, 32), v128.load(p, 48))))) break;
    p += 64;
  }
  while (p + 8 <= end && load<u64>(p) == 0) p += 8;
  while (p < end && load<u8>(p) == 0) p++;
  return p;
}

/** Begins a call: behind the NUL bytes at p, when that stands in a hole. @param unitBytes  a whole number of units is passed */
export function leaveHole(p: usize, end: usize, place: u32, unitBytes: usize): usize {
  skipped = 0;
  if (place != IN_HOLE) return p;
  skipped = (endOfNuls(p, end) - p) & ~(unitBytes - 1);
  return p + skipped;
}

/** Where a hole that begins at p ends, or p if none begins there, or 0: the NUL bytes end with the input, and are too few yet. */
export function passHole(p: usize, end: usize, final: u32, unitBytes: usize): usize {
  const q = endOfNuls(p, end);
  // An odd one at the end is the first half of a big-endian letter.
  const run = (q - p) & ~(unitBytes - 1);
  if (run >= HOLE_BYTES_MIN) { skipped += run; return p + run; }
  return q == end && !final ? 0 : p;
}

/** The first newline in [p, end), or `end`. */
@inline export function findNewline(p: usize, end: usize): usize {
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
@inline export function xxh64(p: usize, length: usize): u64 {
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
@inline export function sequence(p: usize, end: usize): i32 {
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
@inline export function escape(p: usize, end: usize, o: usize): usize {
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
export function escapedBytes(p: usize, end: usize): usize {
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
export function cutAt(start: usize, end: usize): usize {
  const limit = start + lineBytesMax;
  let p = limit;
  for (let back = 0; back < 3 && p > start && (load<u8>(p) & 0xC0) == 0x80; back++) p--;
  return p > start && p < limit && load<u8>(p) >= 0xC2 && <usize>abs(sequence(p, end)) > limit - p ? p : limit;
}

/** `,"flags":["truncated"]` behind the offset of a line that was cut: `log.flags`, as Filebeat names it. */
@inline export function putTruncated(o: usize): usize {
  store<u64>(o, 0x227367616C66222C);
  store<u64>(o, 0x636E757274225B3A, 8);
  store<u32>(o, 0x64657461, 16);
  store<u16>(o, 0x5D22, 20);
  return o + 22;
}

/** Action line and document of the UTF-8 in [text, textEnd), up to the number of `log.offset`; the caller has seen that it fits. */
@inline export function putLine(o: usize, text: usize, textEnd: usize, offset: u64): usize {
  copy(o, PREFIX, prefixBytes);
  if (idHole) {
    put48(o + idHole, offset);
    put48(o + idHole + 8, xxh64(text, textEnd - text));
  }
  o = escape(text, textEnd, o + prefixBytes);
  copy(o, SUFFIX, suffixBytes);
  return putNumber(o + suffixBytes, offset);
}

/** What ends a document. */
@inline export function putEnd(o: usize): usize {
  store<u32>(o, 0x0A7D7D); // }}\n
  return o + 3;
}

export function report(consumed: usize, documents: u32, cuts: u32, stop: u32, skipping: u32, searched: usize): void {
  store<u32>(RESULT, <u32>consumed);
  store<u32>(RESULT, documents, 4);
  store<u32>(RESULT, cuts, 8);
  store<u32>(RESULT, stop, 12);
  store<u32>(RESULT, skipping, 16);
  store<u32>(RESULT, <u32>searched, 20);
  store<u32>(RESULT, <u32>skipped, 24);
}
