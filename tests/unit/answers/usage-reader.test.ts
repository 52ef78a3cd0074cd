import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { watchUsage } from '../../../src/answers/usage-reader.ts'
import { createApp } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { Exchange } from '../../../src/exchange/exchange.ts'
import { NO_USAGE, type ToldUsage } from '../../../src/openai/usage/usage.ts'
import { createUsageTally } from '../../../src/openai/usage/usage-tally.ts'
import { startHttpServer } from '../../../src/server/http-server.ts'
import { createQueue } from '../../helpers/queue.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { USAGE_ROWS, type UsageRow } from './usage-rows.ts'

const FIXTURES = new URL('../../fixtures/usage/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  sse: 'text/event-stream; charset=utf-8',
  ndjson: 'application/x-ndjson',
}
const typeOf = (file: string): string => TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? ''
const silentLog = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
const bytesOf = async (file: string): Promise<Uint8Array> =>
  new Uint8Array(await Bun.file(new URL(file, FIXTURES)).arrayBuffer())

/** What each exchange told at its end. */
const told = createQueue<Promise<ToldUsage>>()
let upstream: ScriptedUpstream
let server: Awaited<ReturnType<typeof startHttpServer>>

beforeAll(async () => {
  upstream = await startScriptedUpstream(async (request, connection) => {
    const [, , , file = '', coding] = request.target.split('/')
    const bytes = await bytesOf(file)
    const type = { 'content-type': typeOf(file) }
    if (coding === 'gzip') return connection.respond(200, { ...type, 'content-encoding': 'gzip' }, gzipSync(bytes))
    if (coding === 'length') return connection.respond(200, type, bytes)
    connection.startChunked(200, type)
    connection.chunk(bytes)
    connection.endChunks()
  })
  const env = { HOST: '127.0.0.1', PORT: '0', OPENAI_API_BASE: `${upstream.url}/v1` }
  const loaded = loadConfig(env, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error('The configuration of this test is not valid.')
  const app = createApp({
    config: loaded.config,
    version: '0.0.0',
    log: silentLog,
    fetch,
    sha256: (text) => new Bun.CryptoHasher('sha256').update(text).digest(),
    observers: [
      {
        onStart(exchange) {
          exchange.tally = createUsageTally()
        },
        onEnd({ tally }) {
          if (tally !== undefined) told.add(Promise.resolve(tally.settled()).then(() => tally.told()))
        },
      },
    ],
  })
  server = await startHttpServer({
    app,
    config: loaded.config,
    log: silentLog,
    proxyFor: () => undefined,
    reusePort: false,
  })
})

afterAll(async () => {
  server.closeAll()
  await server.close()
  await upstream.close()
})

function assertTold({ usage, told = {} }: UsageRow, found: ToldUsage): void {
  expect(found).toMatchObject({ cost: undefined, isEstimated: false, ...told })
  expect(found.usage).toEqual({ ...NO_USAGE, ...usage })
}

for (const row of USAGE_ROWS) {
  test(`${row.file}: its usage is known when the exchange ends, however it came over the wire`, async () => {
    const bytes = await bytesOf(row.file)
    for (const coding of ['chunked', 'length', 'gzip']) {
      const url = `http://127.0.0.1:${server.port}/v1/fixtures/${row.file}/${coding}`
      const answer = await fetch(url, { headers: { authorization: 'Bearer sk-test' } })
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true)
      assertTold(row, await await told.next())
    }
  })

  test(`${row.file}: the same is read in whatever chunks it comes`, async () => {
    const bytes = await bytesOf(row.file)
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.byteLength }), { maxLength: 6 }), (cuts) => {
        const bounds = [0, ...cuts.toSorted((a, b) => a - b), bytes.byteLength]
        const chunks = bounds.slice(1).map((end, at) => bytes.subarray(bounds[at], end))
        // What was seen of a text that is cut is an estimate, and depends on where it is cut.
        if (row.told?.isEstimated !== true) assertTold(row, read(row.file, chunks))
      }),
      { numRuns: 20 },
    )
    const bytewise = read(
      row.file,
      [...bytes].map((byte) => new Uint8Array([byte])),
    )
    if (row.told?.isEstimated !== true) assertTold(row, bytewise)
    else expect(bytewise.isEstimated).toBe(true)
  })
}

function read(file: string, chunks: readonly Uint8Array[]): ToldUsage {
  const arrival = { target: '/v1/x', isHttp10: false, abort: new AbortController() }
  const exchange = new Exchange(new Request('http://localhost/v1/x'), { ...arrival, from: '', body: undefined }, {})
  const tally = createUsageTally()
  exchange.tally = tally
  const onChunk = watchUsage(exchange, new Response(null, { headers: { 'content-type': typeOf(file) } }))
  for (const chunk of chunks) onChunk?.(chunk)
  return tally.told()
}
