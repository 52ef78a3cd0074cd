import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk }, env: { OPENAI_MODEL: 'default-model' } })
})

afterAll(() => gateway.stop())

async function forward(target: string, body: Uint8Array, contentType = 'application/json'): Promise<Buffer> {
  const head = getText(
    target,
    { ...KEY, 'Content-Type': contentType, 'Content-Length': String(body.byteLength) },
    'POST',
  )
  const answer = await sendRaw(gateway.port, Buffer.concat([Buffer.from(head), body]))
  expect([answer.status, answer.text()]).toEqual([200, '{"ok":true}'])
  return Buffer.from(await lastRequest(gateway.upstreams.openai).body)
}

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)

/** A string literal, with every way to spell a character. */
const stringText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\\"',
        '\\\\',
        '\\/',
        '\\b',
        '\\n',
        '\\t',
        '/',
        '{',
        '}',
        '[',
        ',',
        ':',
        'model',
        '\\ud83d',
        '你',
        '😀',
      ),
      fc.stringMatching(/^\\u[0-9a-fA-F]{4}$/),
      fc.string({ unit: 'grapheme', maxLength: 3 }).map((text) => JSON.stringify(text).slice(1, -1)),
    ),
    { maxLength: 5 },
  )
  .map((parts) => `"${parts.join('')}"`)

/** A number literal, in every form that JSON has. */
const numberText = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
  fc.constantFrom('1.0', '-0', '-0.0', '1e1', '1E+2', '1e400', '-1e400', '90071992547409931234', '0.1000', '5e-324'),
)

const { value: valueText } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false'),
    numberText,
    stringText,
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(space, fc.array(fc.tuple(space, tie('value'), space), { maxLength: 3 }))
    .map(([lead, items]) => `[${items.length === 0 ? lead : items.map((item) => item.join('')).join(',')}]`),
  object: fc
    .tuple(space, fc.array(fc.tuple(space, stringText, space, space, tie('value'), space), { maxLength: 3 }))
    .map(
      ([lead, members]) =>
        `{${members.length === 0 ? lead : members.map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`).join(',')}}`,
    ),
}))

/** A member whose name no specification knows, so that nothing about its value is certainly wrong. */
const unknownMember = fc
  .tuple(stringText, valueText, space)
  .map(([name, value, gap]) => `"zz${name.slice(1)}${gap}:${gap}${value}`)

const messages = fc
  .tuple(stringText, unknownMember, space)
  .map(
    ([content, extra, gap]) =>
      `"messages"${gap}:${gap}[${gap}{"role":"user",${gap}"content":${content},${extra}}${gap}]`,
  )

/** A body with messages among members of all kinds, some of them twice, in any order. */
function bodies(needed: readonly fc.Arbitrary<string>[], more: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.tuple(...needed),
      fc.array(fc.oneof(unknownMember, more), { maxLength: 5 }),
      space,
      fc.boolean(),
      fc.boolean(),
    )
    .chain(([required, others, gap, isDoubled, hasBom]) => {
      const members = [...required, ...others, ...(isDoubled ? others.slice(0, 2) : [])]
      return fc
        .shuffledSubarray(members, { minLength: members.length })
        .map((order) => `${hasBom ? '\ufeff' : ''}${gap}{${gap}${order.join(`${gap},${gap}`)}${gap}}${gap}`)
    })
}

const model = fc.constantFrom(
  '"model":"gpt-4o"',
  '"model" : "\\u0067pt"',
  '"\\u006dodel":"m"',
  '"model":"a","model":"b"',
)
const known = fc.constantFrom(
  '"seed":90071992547409931234',
  '"temperature":1.0',
  '"top_p":1E-1',
  '"n":1',
  '"stop":null',
)

test('any JSON object body with messages is forwarded byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(bodies([messages, model], fc.oneof(known, model)), async (text) => {
      const body = Buffer.from(text)
      expect((await forward('/v1/chat/completions', body)).toString()).toBe(text)
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('a body that names no model is changed at that place only', async () => {
  await fc.assert(
    fc.asyncProperty(bodies([messages], known), async (text) => {
      const at = text.indexOf('{') + 1
      const expected = `${text.slice(0, at)}"model":"default-model",${text.slice(at)}`
      expect((await forward('/v1/chat/completions', Buffer.from(text))).toString()).toBe(expected)
    }),
    { seed: 2, numRuns: 150 },
  )
})

test('any body of a text completion is forwarded byte for byte', async () => {
  const prompt = stringText.map((text) => `"prompt":${text}`)
  await fc.assert(
    fc.asyncProperty(bodies([prompt, model], known), async (text) => {
      expect((await forward('/v1/completions', Buffer.from(text))).toString()).toBe(text)
    }),
    { seed: 3, numRuns: 100 },
  )
})

test('any bytes at all are forwarded byte for byte on every other path', async () => {
  const types = fc.constantFrom(
    'application/json',
    'application/octet-stream',
    'text/plain',
    'multipart/form-data; boundary=x',
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), types, async (bytes, type) => {
      expect((await forward('/v1/files', bytes, type)).equals(bytes)).toBe(true)
    }),
    { seed: 4, numRuns: 150 },
  )
})

test('any bytes of an answer reach the client byte for byte', async () => {
  const types = fc.constantFrom('application/json', 'application/octet-stream', 'text/event-stream', 'text/plain')
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), types, fc.boolean(), async (bytes, type, isChunked) => {
      gateway.upstreams.openai.play((_request, { respond, startChunked, chunk, endChunks }) => {
        if (!isChunked) return respond(200, { 'content-type': type }, bytes)
        startChunked(200, { 'content-type': type })
        const middle = bytes.byteLength >> 1
        for (const part of [bytes.subarray(0, middle), bytes.subarray(middle)]) if (part.byteLength > 0) chunk(part)
        endChunks()
      })
      const answer = await sendRaw(gateway.port, getText('/v1/files/f/content', KEY))
      expect([answer.isComplete, answer.body.equals(bytes)]).toEqual([true, true])
    }),
    { seed: 5, numRuns: 150 },
  )
})
