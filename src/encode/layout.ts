import { assert } from '../base/errors.ts'
import { limits } from '../base/limits.ts'

/**
 * The map of a slot's memory, as `assembly/kernel.ts` draws it. One page is 64 KiB; the first two hold what the
 * kernel needs for itself and the template, the rest is input and output.
 */
export const resultAt = 1024
export const prefixAt = 16384
export const suffixAt = 65536
export const inputAt = 131072

/** What a 32-byte load or store may touch behind the input and the output. */
export const slackBytes = 64

/**
 * Room for the template's halves. The second holds a path of 4,096 bytes, of which JSON makes six times as many at worst,
 * and the static fields: 4,096 bytes of them in one setting, twice as many at worst, and a few names.
 */
export const prefixBytesMax = suffixAt - prefixAt
export const suffixBytesMax = 40 * 1024

assert(prefixBytesMax + suffixBytesMax + slackBytes <= limits.documentOverheadBytesMax, 'a template fits into a batch')
