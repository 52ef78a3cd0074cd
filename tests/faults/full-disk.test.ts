import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import type { LogLine } from '../helpers/log-lines.ts'
import { fillDisk } from '../helpers/lower-limit.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

let upstream: ScriptedUpstream
let gateway: TestGateway
let folder: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-full-'))
  upstream = await startScriptedUpstream((_request, connection) =>
    connection.json({ id: 'c', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop' }] }),
  )
})
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(command: readonly string[] = gatewayCommand()): Promise<void> {
  gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `${upstream.url}/v1`,
      OPENAI_API_KEY: 'sk-server-0123456789',
      CACHE: `sqlite:${join(folder, 'cache.db')}`,
    },
    command,
  })
}

interface Told {
  readonly status: number
  readonly cache: string | null
  readonly retryAfter: string | null
}

async function ask(question: string, headers: Readonly<Record<string, string>> = {}): Promise<Told> {
  const body = JSON.stringify({ model: 'm', temperature: 0, messages: [{ role: 'user', content: question }] })
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  await answer.arrayBuffer()
  const word = answer.headers.get('x-nexcode-cache') ?? answer.headers.get('cache-status')
  return { status: answer.status, cache: word, retryAfter: answer.headers.get('retry-after') }
}

/** How often a question, or a key, has come to the upstream. */
async function countOf(text: string): Promise<number> {
  const bodies = await Promise.all(upstream.requests.map(async ({ body }) => new TextDecoder().decode(await body)))
  return bodies.filter((body) => body.includes(JSON.stringify(text))).length
}

/** All that is no exchange and needs a person, once so many exchanges have been logged. */
async function warnings(exchanges: number): Promise<readonly LogLine[]> {
  await gateway.exchange(exchanges)
  return gateway.lines.filter(({ level, msg }) => Number(level) >= 40 && msg !== 'exchange')
}

/** Asks the same until it is answered from the cache again. */
async function untilKept(question: string): Promise<void> {
  for (;;) {
    const before = await countOf(question)
    expect((await ask(question)).status).toBe(200)
    if (before > 0 && (await countOf(question)) === before) return
    await Bun.sleep(50)
  }
}

test('on a full disk calls go on, what is kept is served, and one warning says what to do; with room it keeps answers again', async () => {
  await start()
  await ask('kept before')
  const full = fillDisk(gateway.child?.pid)
  for (let n = 0; n < 20; n += 1) expect((await ask(`question ${n}`)).status).toBe(200)
  await ask('kept before')
  expect(await countOf('kept before')).toBe(1)
  expect(await warnings(22)).toEqual([
    expect.objectContaining({
      store: 'sqlite',
      cause: expect.stringContaining('see whether it is full'),
      msg: expect.stringContaining('the store takes nothing more'),
    }),
  ])
  full.giveBack()
  await untilKept('kept after')
})

test('an Idempotency-Key whose claim can’t be written is refused with 503, and paid for once when there is room', async () => {
  await start()
  const full = fillDisk(gateway.child?.pid)
  for (let n = 0; n < 2; n += 1) {
    expect(await ask('paid', { 'idempotency-key': 'one' })).toMatchObject({ status: 503, retryAfter: '1' })
  }
  expect(await countOf('paid')).toBe(0)
  expect(await warnings(2)).toHaveLength(1)
  full.giveBack()
  for (let n = 0; n < 3; n += 1) expect((await ask('paid', { 'idempotency-key': 'one' })).status).toBe(200)
  expect(await countOf('paid')).toBe(1)
})

test('a disk that gets full while a call under a key is under way never has it made twice', async () => {
  await start()
  const held = Promise.withResolvers<void>()
  upstream.play(async (_request, connection) => {
    await held.promise
    connection.json({ id: 'c', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop' }] })
  })
  const first = ask('long', { 'idempotency-key': 'two' })
  await upstream.request(1)
  const full = fillDisk(gateway.child?.pid)
  held.resolve()
  expect((await first).status).toBe(200)
  await ask('long', { 'idempotency-key': 'two' })
  full.giveBack()
  await ask('long', { 'idempotency-key': 'two' })
  expect(await countOf('long')).toBe(1)
})

test('a server starts on a full disk, and has its cache when there is room', async () => {
  await start(['bash', '-c', 'ulimit -S -f 0; exec "$@"', 'bash', ...gatewayCommand()])
  expect((await ask('first')).status).toBe(200)
  expect(await warnings(1)).toEqual([
    expect.objectContaining({ cause: expect.stringContaining('see whether it is full'), store: 'sqlite' }),
  ])
  Bun.spawnSync(['prlimit', '--pid', String(gateway.child?.pid), '--fsize=unlimited:unlimited'])
  await untilKept('first')
})
