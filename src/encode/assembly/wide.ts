/**
 * The lane for UTF-16: lines end at U+000A, not at any byte 10, and are written as UTF-8. Each line is transcoded to the end of
 * the output, where there is room for it, and goes on from there as in the raw lane. `test/encode/wide.ts` says the same plainly.
 */
import {
  escapedBytes, IN_CUT, leaveHole, lineBytesMax, passHole, prefixBytes, putEnd, putLine, putTruncated, report,
  STOP_DOCUMENTS, STOP_INPUT, STOP_OUTPUT, suffixBytes,
} from "./document";

@inline function unitAt(p: usize, swap: bool): u32 {
  const unit = load<u16>(p);
  return <u32>(swap ? bswap<u16>(unit) : unit);
}

/** The first newline in [p, end), a whole number of units, or `end`. */
@inline function findNewline(p: usize, end: usize, swap: bool): usize {
  const newline = i16x8.splat(swap ? 0x0A00 : 10);
  while (p < end) {
    const m = <u32>i16x8.bitmask(i16x8.eq(v128.load(p), newline));
    if (m) { const q = p + (ctz(m) << 1); return q < end ? q : end; }
    p += 16;
  }
  return end;
}

@inline function putCharacter(o: usize, c: u32): usize {
  if (c < 0x80) { store<u8>(o, <u8>c); return o + 1; }
  if (c < 0x800) { store<u16>(o, <u16>(0x80C0 | (c >> 6) | ((c & 63) << 8))); return o + 2; }
  if (c < 0x10000) {
    store<u32>(o, 0x8080E0 | (c >> 12) | (((c >> 6) & 63) << 8) | ((c & 63) << 16));
    return o + 3;
  }
  store<u32>(o, 0x808080F0 | (c >> 18) | (((c >> 12) & 63) << 8) | (((c >> 6) & 63) << 16) | ((c & 63) << 24));
  return o + 4;
}

/** [p, end) as UTF-8 to o: three bytes for two at most, and 16 that are written along. A surrogate without its other half, and
 *  half a unit at the end, become U+FFFD, as the WHATWG decoder does. */
function transcode(p: usize, end: usize, o: usize, swap: bool): usize {
  const notAscii = i16x8.splat(<i16>0xFF80);
  while (p + 1 < end) {
    if (p + 16 <= end) {
      let v = v128.load(p);
      if (swap) v = i8x16.shuffle(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
      if (!v128.any_true(v128.and(v, notAscii))) {
        v128.store(o, i8x16.narrow_i16x8_u(v, v));
        p += 16;
        o += 8;
        continue;
      }
    }
    let c = unitAt(p, swap);
    p += 2;
    if (c >= 0xD800 && c < 0xE000) {
      const low = c < 0xDC00 && p + 1 < end ? unitAt(p, swap) : 0;
      if (low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        p += 2;
      } else {
        // What is there of the other half goes with it.
        if (c < 0xDC00 && p + 1 == end) p = end;
        c = 0xFFFD;
      }
    }
    o = putCharacter(o, c);
  }
  return p < end ? putCharacter(o, 0xFFFD) : o;
}

/** Not between the two halves of a character. @param unitsEnd  what stands there may be of another line, or of none */
@inline function cutAt(start: usize, limit: usize, unitsEnd: usize, swap: bool): usize {
  if (limit <= start || limit + 2 > unitsEnd) return limit;
  const isPair = (unitAt(limit - 2, swap) & 0xFC00) == 0xD800 && (unitAt(limit, swap) & 0xFC00) == 0xDC00;
  return isPair ? limit - 2 : limit;
}

/**
 * As `encode`, for UTF-16. `input` stands at a character's first byte; the limit of a line counts its bytes in the file, rounded down
 * to whole units. Half a unit at the end is left where it is, unless the generation ends there.
 *
 * @param swap  1: big-endian
 */
export function encodeWide(input: usize, length: usize, output: usize, outputEnd: usize, offset: u64, documentsMax: u32, final: u32, place: u32, swap: bool): usize {
  const end = input + length;
  const unitsEnd = input + (length & ~1);
  const longest = lineBytesMax & ~1;
  let p = leaveHole(input, unitsEnd, place, 2), o = output;
  let documents: u32 = 0, cuts: u32 = 0, stop: u32 = STOP_INPUT;
  let searched = input;
  let skipping: u32 = place == IN_CUT ? 1 : 0;
  const overhead = prefixBytes + suffixBytes + 64;

  while (p < end) {
    if (skipping) {
      const q = findNewline(p, unitsEnd, swap);
      if (q == unitsEnd) { p = final ? end : unitsEnd; searched = end; break; }
      p = q + 2;
      skipping = 0;
      continue;
    }
    if (p < unitsEnd && load<u16>(p) == 0) {
      const q = passHole(p, end, final, 2);
      if (q == 0) { searched = end; break; }
      if (q > p) { p = q; continue; }
    }
    if (documents == documentsMax) { stop = STOP_DOCUMENTS; break; }

    const limit = min(unitsEnd, p + longest + 4);
    const newline = findNewline(p, limit, swap);
    const found = newline < limit;
    const short = limit - p < longest + 4;
    if (!found && short && !final) { searched = end; break; }

    const next = found ? newline + 2 : short ? end : limit;
    let stopAt = found ? newline : next;
    if (found && stopAt > p && unitAt(stopAt - 2, swap) == 13) stopAt -= 2;
    const cut = stopAt - p > longest;
    if (cut) stopAt = cutAt(p, p + longest, unitsEnd, swap);

    const scratchBytes = (((stopAt - p) * 3) >> 1) + 32;
    if (<usize>(outputEnd - o) < scratchBytes + overhead) { stop = STOP_OUTPUT; break; }
    const scratch = outputEnd - scratchBytes;
    const textEnd = transcode(p, stopAt, scratch, swap);
    const room = scratch - o;
    if ((textEnd - scratch) * 6 + overhead > room && escapedBytes(scratch, textEnd) + overhead > room) { stop = STOP_OUTPUT; break; }

    o = putLine(o, scratch, textEnd, offset + <u64>(p - input));
    if (cut) { o = putTruncated(o); cuts++; }
    o = putEnd(o);
    documents++;
    p = next;
    skipping = cut && !found ? 1 : 0;
  }
  if (searched < p) searched = p;
  report(p - input, documents, cuts, stop, skipping, searched - input);
  return o;
}
