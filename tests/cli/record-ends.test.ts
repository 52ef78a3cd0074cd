import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DONE, event } from '../helpers/cache-calls.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const BODY = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'

let folder: string
let upstream: ScriptedUpstream
let gateway: TestGateway

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexcode-record-ends-'))
})
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
  await rm(folder, { recursive: true, force: true })
})

async function record(script: Script): Promise<void> {
  upstream = await startScriptedUpstream(script)
  const env = { OPENAI_API_BASE: `${upstream.url}/v1` }
  gateway = await startGateway({ env, command: [...gatewayCommand(), 'record', '--to', folder] })
}

/** Answers in chunks, and ends the body a while behind them; undefined: never. */
function chunked(chunks: readonly string[], endMs: number | undefined): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    for (const chunk of chunks) connection.chunk(chunk)
    if (endMs === undefined) return
    await Bun.sleep(endMs)
    connection.endChunks()
  }
}

/** Answers with neither a length nor chunks, until it closes. */
function untilClose(body: string): Script {
  return async (request, { socket }) => {
    await request.body
    socket.end(`HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${body}`)
  }
}

async function ask(leaveAt?: string): Promise<void> {
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', BODY))
  if (leaveAt === undefined) await client.response()
  else await client.until((received) => received.includes(leaveAt))
  client.leave()
}

describe('an answer is recorded', () => {
  test.each([
    ['50 ms behind', 50],
    ['never', undefined],
  ])('whose client leaves at [DONE], where the body ends %s', async (_when, endMs) => {
    await record(chunked([event('a'), DONE], endMs))
    await ask(DONE)
    await gateway.line(({ msg }) => msg === 'recorded')
    expect(await gateway.exchange(1)).toMatchObject({ status: 200, outcome: 'complete' })
    expect(await readdir(folder)).toHaveLength(1)
  })

  test('that ends by closing, with its last event', async () => {
    await record(untilClose(event('a') + DONE))
    await ask()
    await gateway.line(({ msg }) => msg === 'recorded')
  })
})

describe('no answer is recorded', () => {
  const isNotRecorded = ({ msg }: { readonly msg?: unknown }): boolean =>
    msg === 'not recorded: the answer is not complete'

  test('whose client leaves before [DONE]', async () => {
    await record(chunked([event('a')], undefined))
    await ask('"a"')
    await gateway.line(isNotRecorded)
    expect(await gateway.exchange(1)).toMatchObject({ status: 499, outcome: 'cancelled' })
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    ['that ends by closing, without its last event', untilClose(event('a'))],
    ['that ends without an event', chunked([], 0)],
  ])('%s', async (_how, script) => {
    await record(script)
    await ask()
    await gateway.line(isNotRecorded)
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'failed' })
    expect(await readdir(folder)).toEqual([])
  })
})
