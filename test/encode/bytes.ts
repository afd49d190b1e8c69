import * as fc from 'fast-check'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Everything that UTF-8 can be and must not be, by what is the matter with it. */
export const sequences: Readonly<Record<string, Buffer>> = {
  'two bytes': Buffer.from('é'),
  'three bytes': Buffer.from('€'),
  'four bytes': Buffer.from('😀'),
  'first of two bytes': hex('c2 80'),
  'last of two bytes': hex('df bf'),
  'first of three bytes': hex('e0 a0 80'),
  'last before the surrogates': hex('ed 9f bf'),
  'first behind the surrogates': hex('ee 80 80'),
  'last of three bytes': hex('ef bf bf'),
  'first of four bytes': hex('f0 90 80 80'),
  'last of four bytes': hex('f4 8f bf bf'),
  'byte order mark': hex('ef bb bf'),
  'the replacement character itself': hex('ef bf bd'),
  'line separator': Buffer.from('\u2028'),
  'next line': Buffer.from('\u0085'),
  'a lone continuation': hex('80'),
  'the highest continuation': hex('bf'),
  'two continuations': hex('80 bf'),
  'overlong in two': hex('c0 af'),
  'overlong in two, c1': hex('c1 bf'),
  'overlong in three': hex('e0 9f bf'),
  'overlong in four': hex('f0 8f bf bf'),
  'high surrogate': hex('ed a0 80'),
  'low surrogate': hex('ed bf bf'),
  'surrogate pair': hex('ed a0 bd ed b8 80'),
  'above the last': hex('f4 90 80 80'),
  'never a lead': hex('f5 80 80 80'),
  'never a byte': hex('fe ff'),
  'cut after one of two': hex('c3'),
  'cut after one of three': hex('e2'),
  'cut after two of three': hex('e2 82'),
  'cut after one of four': hex('f0'),
  'cut after two of four': hex('f0 9f'),
  'cut after three of four': hex('f0 9f 98'),
  'cut three times': hex('e2 82 f0 9f 98 c3'),
  'cut by a letter': hex('e2 82 41'),
  'cut by a quote': hex('f0 9f 98 22'),
}

/** Lines that try to be more than a message. */
const hostile = [
  '"}\n{"create":{"_id":"forged"}}\n{"message":"forged"}\n',
  '","log":{"offset":0},"forged":"yes',
  '\\"}}\n',
  '\\',
  '\\u0022,"a":"',
  '{"delete":{"_id":"x"}}',
].map((text) => Buffer.from(text))

const letters = fc
  .tuple(fc.constantFrom('a', 'x', '0', ' ', '~'), fc.nat(40))
  .map(([letter, count]) => Buffer.alloc(count, letter))
const fragment = fc.oneof(
  { weight: 6, arbitrary: letters },
  { weight: 4, arbitrary: fc.constantFrom(Buffer.from('\n'), Buffer.from('\r\n'), Buffer.from('\n\n')) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['"', '\\', '\r', '\t', '\b\f', '\x1b[31m', '\x7f', '"\\"'].map((s) => Buffer.from(s)),
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 31 }).map((code) => Buffer.of(code)) },
  { weight: 1, arbitrary: fc.nat(40).map((count) => Buffer.alloc(count)) },
  { weight: 1, arbitrary: fc.constantFrom(511, 512, 513, 700, 1100).map((count) => Buffer.alloc(count)) },
  { weight: 6, arbitrary: fc.constantFrom(...Object.values(sequences)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom(...hostile) },
)

const unitFragment = fc.oneof(
  { weight: 6, arbitrary: letters.map((bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le')) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(
        '\n',
        '\r\n',
        '\n\n',
        '\r',
        'é',
        '世',
        '😀',
        '\u010A',
        '\u0A0A',
        '\uD83D',
        '\uDE00',
        '\uFEFF',
        '"\\"',
      )
      .map((text) => Buffer.from(text, 'utf16le')),
  },
  { weight: 1, arbitrary: fc.constantFrom(2, 40, 510, 511, 512, 513, 514, 1101).map((count) => Buffer.alloc(count)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)) },
)

/** UTF-16 in either byte order, well formed and not: a fragment of an odd length turns the order of what follows. */
export const units: fc.Arbitrary<Buffer> = fc
  .array(fc.tuple(unitFragment, fc.boolean()), { maxLength: 40 })
  .map((fragments) =>
    Buffer.concat(
      fragments.map(([bytes, swap]) => (swap && bytes.length % 2 === 0 ? Buffer.from(bytes).swap16() : bytes)),
    ),
  )

/** What a file may hold: whatever breaks encoders, and lines around it. */
export const content: fc.Arbitrary<Buffer> = fc
  .array(fragment, { maxLength: 40 })
  .map((fragments) => Buffer.concat(fragments))
