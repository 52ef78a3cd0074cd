import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { FullMask } from '../../../src/answers/body-mask.ts'
import { maskStream } from '../../../src/answers/mask-stream.ts'
import { Secret } from '../../../src/config/secret.ts'
import { createMask } from '../../../src/upstream/mask.ts'
import { collectStream, streamOf } from '../answers/collect-stream.ts'
import { maskOf } from './mask-of.ts'

const SECRET = 'sk-server/0123+456789~'
const STARS = '*'.repeat(SECRET.length)

const mask = maskOf(SECRET)
const starred = (body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
  maskStream(body, new Headers(), { makeMask: () => new FullMask(mask), isStrict: true })
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'latin1'))
const hex = (character: string, digits: number): string => character.charCodeAt(0).toString(16).padStart(digits, '0')
const each = (form: (character: string, at: number) => string): string => Array.from(SECRET, form).join('')

/** Ways in which servers repeat what they were sent. */
const FORMS: Readonly<Record<string, string>> = {
  plain: SECRET,
  'in a URL': encodeURIComponent(SECRET),
  'in a URL, every byte': each((character) => `%${hex(character, 2)}`),
  'in a URL within a URL': encodeURIComponent(encodeURIComponent(SECRET)),
  'in JSON, every character': each((character) => `\\u${hex(character, 4).toUpperCase()}`),
  'in JSON within JSON': each((character) => `\\\\u${hex(character, 4)}`),
  'in JSON of PHP': SECRET.replaceAll('/', '\\/'),
  'in HTML': each((character, at) =>
    at % 2 === 0 ? `&#${character.charCodeAt(0)};` : `&#x${hex(character, 2)};`,
  ).slice(0, -1),
  'in a mixture of them': each(
    (character, at) => [character, `%${hex(character, 2)}`, `\\u${hex(character, 4)}`][at % 3] ?? '',
  ),
  hexadecimal: Buffer.from(SECRET).toString('hex'),
  HEXADECIMAL: Buffer.from(SECRET).toString('hex').toUpperCase(),
  'UTF-16': Buffer.from(SECRET, 'utf16le').toString('latin1').slice(0, -1),
}

describe('a secret is hidden', () => {
  test.each(Object.entries(FORMS))('%s', (_form, form) => {
    const masked = Buffer.from(mask.bytes(bytesOf(`before ${form} behind`))).toString('latin1')
    expect(masked).toBe(`before ${'*'.repeat(form.length)} behind`)
  })

  test('in base64 and its other alphabet, wherever it stands in what was encoded: but for the bits at its ends, which others share', () => {
    for (const before of ['', 'a', 'ab', 'abc', 'who:']) {
      for (const encoding of ['base64', 'base64url'] as const) {
        const encoded = Buffer.from(`${before}${SECRET}, and more`).toString(encoding)
        const masked = Buffer.from(mask.bytes(bytesOf(encoded))).toString('latin1')
        expect(masked).toHaveLength(encoded.length)
        const shown = Buffer.from(masked.replaceAll('*', 'A'), encoding).toString('latin1')
        for (let at = 0; at + 3 <= SECRET.length; at += 1) expect(shown).not.toContain(SECRET.slice(at, at + 3))
        expect(shown).toStartWith(before)
        expect(shown).toEndWith(', and more')
      }
    }
  })

  test('whatever the chunking, with the length kept, and nothing else changed', async () => {
    const part = fc.oneof(fc.constantFrom(...Object.values(FORMS)), fc.string(), fc.constant(SECRET.slice(0, 7)))
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 6 }),
        fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 20 }),
        async (parts, sizes) => {
          const whole = bytesOf(parts.join(''))
          const chunks: Uint8Array[] = []
          for (let at = 0, turn = 0; at < whole.byteLength; turn += 1) {
            const size = (sizes[turn % sizes.length] ?? 0) + 1
            chunks.push(whole.slice(at, at + size))
            at += size
          }
          const masked = await new Response(starred(streamOf(chunks))).bytes()
          expect(Buffer.from(masked).equals(Buffer.from(mask.bytes(whole)))).toBe(true)
        },
      ),
    )
  })

  test('in headers, where others stay, also of the same name', () => {
    const headers = new Headers({ 'www-authenticate': `Bearer key="${SECRET}"`, 'x-other': 'yes' })
    headers.append('location', `https://login.test/?key=${encodeURIComponent(SECRET)}`)
    headers.append('set-cookie', 'a=1; Path=/')
    headers.append('set-cookie', `b=${SECRET}; Secure`)
    mask.headers(headers)
    expect(headers.get('www-authenticate')).toBe(`Bearer key="${STARS}"`)
    expect(headers.get('location')).toBe(`https://login.test/?key=${'*'.repeat(encodeURIComponent(SECRET).length)}`)
    expect(headers.getSetCookie()).toEqual(['a=1; Path=/', `b=${STARS}; Secure`])
    expect(headers.get('x-other')).toBe('yes')
  })

  test('beside others, of which one may begin with another', () => {
    expect(maskOf('sk-1234', 'sk-12345678', 'x').text('sk-12345678 sk-1234 x')).toBe('*********** ******* *')
  })
})

test('what has no secret in it is the same bytes', () => {
  const bytes = bytesOf(`{"error":"${SECRET.slice(0, -1)}"}`)
  expect(mask.bytes(bytes)).toBe(bytes)
})

test('nothing is hidden where there is nothing to hide', () => {
  expect(createMask([])).toBeUndefined()
  expect(createMask([new Secret('')])).toBeUndefined()
})

test('a masked body that breaks off stays broken', async () => {
  expect((await collectStream(starred(streamOf(['an error'], new Error('reset'))))).isBroken).toBe(true)
})

test('a long secret that was cut off is hidden as far as half of it is there', () => {
  const long = 'sk-proj-0123456789-abcdefghij-ABCDEFGHIJ'
  const cut = maskOf(long)
  expect(cut.text(`bad key ${long.slice(0, -3)}`)).not.toContain(long.slice(0, 20))
  expect(cut.text(`…${long.slice(3)}`)).not.toContain(long.slice(20))
  expect(cut.text(`bad key ${long.slice(0, 10)}***${long.slice(-4)}`)).toContain(long.slice(0, 10))
  expect(cut.text(long)).toBe('*'.repeat(long.length))
})
