/**
 * The kernel: bytes of a log in, finished `_bulk` NDJSON out. AssemblyScript, compiled to wasm SIMD at install;
 * one instance a slot, working in the slot's own memory. `test/encode/reference.ts` says the same in plain TypeScript.
 * Here the raw lane, for text in UTF-8 and whatever else ends its lines with a byte 10; `wide.ts` has the one for UTF-16.
 */
import {
  cutAt, escapedBytes, findNewline, IN_CUT, leaveHole, lineBytesMax, passHole, prefixBytes, putEnd, putLine,
  putTruncated, report, STOP_DOCUMENTS, STOP_INPUT, STOP_OUTPUT, suffixBytes,
} from "./document";

export { hash, initialize, template } from "./document";
export { encodeWide } from "./wide";

/**
 * Encodes the lines of [input, input + length) to [output, outputEnd).
 *
 * @param offset   of `input` within its generation, for `_id` and `log.offset`
 * @param documentsMax  stop after so many
 * @param final    1: the generation ends here, a last line without a newline is a line
 * @param place    IN_CUT: `input` stands inside a line that was cut; its rest is no document. IN_HOLE: NUL bytes at its start
 *                 belong to a hole, however few they are
 * @returns        the end of what was written; see RESULT for the rest
 */
export function encode(input: usize, length: usize, output: usize, outputEnd: usize, offset: u64, documentsMax: u32, final: u32, place: u32): usize {
  const end = input + length;
  let p = leaveHole(input, end, place, 1), o = output;
  let documents: u32 = 0, cuts: u32 = 0, stop: u32 = STOP_INPUT;
  let searched = input;
  let skipping: u32 = place == IN_CUT ? 1 : 0;
  const overhead = prefixBytes + suffixBytes + 64;

  while (p < end) {
    if (skipping) {
      const q = findNewline(p, end);
      if (q == end) { p = end; break; }
      p = q + 1;
      skipping = 0;
      continue;
    }
    if (load<u8>(p) == 0) {
      const q = passHole(p, end, final, 1);
      if (q == 0) { searched = end; break; }
      if (q > p) { p = q; continue; }
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

    o = putLine(o, p, stopAt, offset + <u64>(p - input));
    if (cut) { o = putTruncated(o); cuts++; }
    o = putEnd(o);
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

  report(p - input, documents, cuts, stop, skipping, searched - input);
  return o;
}
