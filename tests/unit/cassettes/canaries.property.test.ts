import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { asked, openMemoryRecorder, utf8 } from './memory-recorder.ts'

// None of them looks like a key to who does not know it.
const SERVER_KEY = 'canary/of+the-server.1'
const API_TOKEN = 'canary-"token"\\2'
const CALLERS_KEY = 'canary~of~a~caller~3'
const SESSION = 'canary_session_4'
const ACCOUNT = 'canary-account-5'
const NEW_SESSION = 'canary_new_session_6'
const LOOKS_LIKE_ONE = 'sk-proj-canarycanarycanary7'
const PLANTED = [SERVER_KEY, API_TOKEN, CALLERS_KEY, SESSION, NEW_SESSION]
const CANARIES = [...PLANTED, ACCOUNT, LOOKS_LIKE_ONE]

/** How a text may stand in JSON, each letter in a way of its own. */
const jsonForm = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom('plain', 'lower', 'upper'), { minLength: text.length, maxLength: text.length })
    .map((ways) => Array.from(text, (letter, index) => jsonLetter(letter, ways[index])).join(''))

function jsonLetter(letter: string, way: string | undefined): string {
  const hex = letter.charCodeAt(0).toString(16).padStart(4, '0')
  if (way === 'plain') return JSON.stringify(letter).slice(1, -1)
  return `\\u${way === 'lower' ? hex : hex.toUpperCase()}`
}

const known = fc.constantFrom(...PLANTED)
/** What only looks like a key is found as it is. */
const planted = fc.oneof(known.chain(jsonForm), fc.constant(LOOKS_LIKE_ONE))
const around = fc.constantFrom('', ' ', 'a ', '日本 ', '\\n', '(')
const inJson = fc
  .tuple(around, planted, around)
  .map(([before, canary, after]) => `{"a b":["${before}${canary} ${after}"]}`)
const inUrl = known.chain((canary) => fc.constantFrom(encodeURIComponent(canary), percentAll(canary)))

function percentAll(text: string): string {
  return Array.from(text, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
}

const SECRET_HEADERS = {
  authorization: `Bearer ${CALLERS_KEY}`,
  'x-api-key': CALLERS_KEY,
  'proxy-authorization': `Basic ${btoa(`me:${CALLERS_KEY}`)}`,
  cookie: `sid=${SESSION}`,
  'openai-organization': ACCOUNT,
}

interface Plan {
  readonly target: string
  readonly body: Uint8Array
  readonly type: string
  readonly answer: Uint8Array
  readonly answerType: string
  readonly cuts: readonly number[]
  readonly header: string
}

const form = fc.tuple(known, known).map(([field, file]) => {
  const disposition = 'Content-Disposition: form-data; name='
  const parts = [
    `${disposition}"a"\r\n\r\n${field}`,
    `${disposition}"f"; filename="${file.replaceAll('"', '')}"\r\n\r\n${file}\xff`,
  ]
  return Buffer.from(`${parts.map((part) => `--x\r\n${part}\r\n`).join('')}--x--`, 'latin1')
})
const binary = known.map((canary) => new Uint8Array([255, ...utf8(canary), 254]))
const request = fc.oneof(
  fc.record({ body: inJson.map(utf8), type: fc.constant('application/json') }),
  fc.record({ body: known.map(utf8), type: fc.constant('text/plain') }),
  fc.record({ body: form, type: fc.constant('multipart/form-data; boundary=x') }),
  fc.record({ body: binary, type: fc.constant('application/octet-stream') }),
)
const answer = fc.oneof(
  fc.record({ answer: inJson.map(utf8), answerType: fc.constant('application/json') }),
  fc.record({ answer: binary, answerType: fc.constant('audio/wav') }),
  fc.record({
    answer: fc
      .array(inJson, { minLength: 1, maxLength: 4 })
      .map((all) => utf8(all.map((one) => `data: ${one}\n\n`).join(''))),
    answerType: fc.constant('text/event-stream'),
  }),
)
const plans: fc.Arbitrary<Plan> = fc
  .tuple(request, answer, inUrl, inUrl, known, fc.array(fc.nat(400), { maxLength: 6 }))
  .map(([sent, got, path, query, header, cuts]) => {
    return { ...sent, ...got, target: `/v1/${path}?q=${query}&key=unknown-value`, header, cuts }
  })

test('no canary gets into a cassette, wherever it was and however it was written', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { recorder, folder, lines } = await openMemoryRecorder([SERVER_KEY, API_TOKEN])
      const headers = new Headers({
        ...SECRET_HEADERS,
        'content-type': plan.type,
        accept: plan.header,
        'x-any': plan.header,
      })
      const recording = recorder.begin(asked(0, { target: plan.target, headers, body: plan.body }))
      const given = {
        'content-type': plan.answerType,
        'x-request-id': plan.header,
        'set-cookie': `id=${NEW_SESSION}; Path=/`,
      }
      recording.onHead(200, new Headers(given))
      for (const chunk of cut(plan.answer, plan.cuts)) recording.onChunk(chunk)
      recording.onEnd({ kind: 'complete' })
      await recorder.settle()
      expect(lines.map(({ text }) => text)).toEqual(['recorded'])
      for (const [name, text] of folder.files) {
        expect(revealed(`${name}\n${text}`)).toEqual([])
        expect(text).not.toContain('unknown-value')
      }
    }),
    { numRuns: 1000 },
  )
})

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.filter((place) => place < bytes.length).toSorted((one, other) => one - other),
    bytes.length,
  ]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

/** The canaries that are in a file, in any form that somebody could undo. */
function revealed(text: string): string[] {
  const seen = [text]
  const chunks: Buffer[] = []
  const walk = (value: unknown): void => {
    if (typeof value === 'string') seen.push(value, Buffer.from(value, 'base64').toString('latin1'))
    else if (typeof value === 'object' && value !== null) {
      const { text: plain, base64 } = value as { text?: unknown; base64?: unknown }
      if (typeof plain === 'string') chunks.push(Buffer.from(plain))
      if (typeof base64 === 'string') chunks.push(Buffer.from(base64, 'base64'))
      for (const item of Object.values(value)) walk(item)
    }
  }
  walk(JSON.parse(text.slice(text.indexOf('\n'))))
  seen.push(Buffer.concat(chunks).toString('latin1'))
  const undone = seen.flatMap((one) => [one, unescapeJson(one), unescapeUrl(one)])
  return CANARIES.filter((canary) => undone.some((one) => one.includes(canary)))
}

function unescapeJson(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})|\\(["\\/])/gi, (_all, hex: string | undefined, letter: string | undefined) =>
    hex === undefined ? (letter ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

function unescapeUrl(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

test('the search for canaries finds them in each of these forms', () => {
  const file = (value: object): string => `name\n${JSON.stringify(value)}`
  expect(revealed(file({ a: `x${SERVER_KEY}` }))).toEqual([SERVER_KEY])
  expect(revealed(file({ a: percentAll(SESSION) }))).toEqual([SESSION])
  expect(revealed(file({ a: `"${JSON.stringify(API_TOKEN)}"` }))).toEqual([API_TOKEN])
  expect(revealed(file({ base64: btoa(`x${ACCOUNT}`) }))).toEqual([ACCOUNT])
  expect(revealed(file([{ text: 'canary_se' }, { base64: btoa('ssion_4') }]))).toEqual([SESSION])
})
