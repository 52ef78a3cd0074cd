import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { CHAT } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const MIB = 1024 * 1024

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  // With this strategy, a body is read as a whole; the names in `metadata` are not judged.
  const models = { m: { strategy: 'affinity', targets: [{ upstream: 'openai' }] } }
  gateway = await startGateway({ upstreams: { openai: answerOk }, file: { models } })
})

beforeEach(() => gateway.upstreams.openai.play(answerOk))

afterAll(() => gateway.stop())

function post(body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Buffer {
  const all = { ...KEY, 'Content-Type': 'application/json', ...headers, 'Content-Length': String(body.byteLength) }
  return Buffer.concat([Buffer.from(getText('/v1/chat/completions', all, 'POST')), body])
}

function textOf(member: string): Buffer {
  return Buffer.from(`{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":${member}}`)
}

/** As it is answered, with a proof that nobody was asked. */
async function refusalOf(body: Uint8Array, headers?: Readonly<Record<string, string>>): Promise<string> {
  const before = gateway.upstreams.openai.requests.length
  const answer = await sendRaw(gateway.port, post(body, headers))
  expect(gateway.upstreams.openai.requests.length).toBe(before)
  return statusAndCode(answer)
}

describe('a body that decodes to far more than it is', () => {
  const plain = textOf(`"${'a'.repeat(20 * MIB)}"`)
  const twice = textOf(`"${'a'.repeat(10 * MIB)}"`)
  const none = (bytes: Uint8Array): Uint8Array => bytes
  test.each([
    ['gzip', gzipSync, none, plain],
    ['x-gzip', gzipSync, none, plain],
    ['deflate', deflateSync, none, plain],
    ['br', brotliCompressSync, none, plain],
    ['zstd', zstdCompressSync, none, plain],
    ['gzip, gzip', gzipSync, gzipSync, twice],
    ['br, gzip', brotliCompressSync, gzipSync, twice],
  ] as const)('is refused as %s', async (coding, once, again, text) => {
    expect(await refusalOf(again(once(text)), { 'Content-Encoding': coding })).toBe('413 decodes_to_too_much')
  })

  test('is taken where it is honest, however well it packs', async () => {
    const log = Array.from({ length: 40_000 }, (_, at) => `line ${at}: everything is as it was`).join('\\n')
    const packed = gzipSync(textOf(`"${log}"`))
    const answer = await sendRaw(gateway.port, post(packed, { 'Content-Encoding': 'gzip' }))
    expect(answer.status).toBe(200)
    expect(Bun.hash(await lastRequest(gateway.upstreams.openai).body)).toBe(Bun.hash(packed))
  })

  test('is refused where it is encoded again and again', async () => {
    const packed = Array.from({ length: 5 }).reduce<Uint8Array>((bytes) => gzipSync(bytes), Buffer.from(CHAT))
    const codings = { 'Content-Encoding': 'gzip, gzip, gzip, gzip, gzip' }
    expect(await refusalOf(packed, codings)).toBe('400 unsupported_content_encoding')
  })
})

describe('JSON whose values take far more memory than its text', () => {
  test.each([
    ['empty objects', `[${'{},'.repeat(MIB)}{}]`],
    ['empty lists', `[${'[],'.repeat(MIB)}[]]`],
    ['lists within lists', `${'['.repeat(MIB)}${']'.repeat(MIB)}`],
    ['objects within objects', `${'{"a":'.repeat(MIB / 4)}1${'}'.repeat(MIB / 4)}`],
    ['a million names', `{${Array.from({ length: 1_000_000 }, (_, at) => `"${at}":0`).join()}}`],
    ['a number of megabytes', '1'.repeat(4 * MIB)],
  ])('is refused: %s', async (_, member) => {
    expect(await refusalOf(textOf(member))).toBe('413 too_many_values')
  })

  test.each([
    ['20,000 messages', `[${'{"role":"user","content":"hello"},'.repeat(20_000)}{}]`],
    ['a picture of megabytes', `"data:image/png;base64,${'QUJD'.repeat(MIB)}"`],
    ['300,000 tokens', `[${'1234,'.repeat(300_000)}1]`],
    ['a text of escapes', `"${'\\n\\u00e9'.repeat(MIB / 4)}"`],
    ['15,000 lists within lists, in a short text', `${'['.repeat(15_000)}${']'.repeat(15_000)}`],
  ])('is none of these: %s', async (_, member) => {
    const body = textOf(member)
    expect((await sendRaw(gateway.port, post(body))).status).toBe(200)
    expect(Bun.hash(await lastRequest(gateway.upstreams.openai).body)).toBe(Bun.hash(body))
  })
})

test.each([
  [
    '21,000 members',
    `{${Array.from({ length: 21_000 }, (_, at) => `"${at}":0`).join()}}`,
    'an object of more than 20,000 members',
  ],
  ['1,001 levels', `[${'['.repeat(1000)}"${'x'.repeat(70_000)}"${']'.repeat(1000)}]`, 'more than 1,000 levels'],
  ['a million values and one', `[${'1,'.repeat(1_000_001)}1]`, 'more than a million values'],
  ['a name of 70 KB', `{"${'n'.repeat(70_000)}":1}`, 'a name of more than 64 KiB'],
  ['a number of 300 KB', '7'.repeat(300_000), 'a number or white space of more than 256 KiB'],
])('what there is too much of is named: %s', async (_, value, words) => {
  const answer = await sendRaw(gateway.port, post(textOf(value)))
  expect(statusAndCode(answer)).toBe('413 too_many_values')
  expect(answer.text()).toContain(`The JSON of your request has ${words}`)
})

test('a long body that is no JSON is told of as a short one is', async () => {
  expect(await refusalOf(Buffer.concat([textOf(`"${'x'.repeat(MIB)}"`), Buffer.from('}')]))).toBe('400 null')
})
