import { expect, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { getText, openRawClient, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { OWN_KEY } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)
const { write } = extensionFiles()
const KIB = 1024

/** An upstream that answers when it is told to, and tells when a whole request is there. */
function heldUpstream() {
  const arrived: UpstreamConnection[] = []
  const waiting: (() => void)[] = []
  const script: Script = async (request, connection) => {
    await request.body
    arrived.push(connection)
    waiting.shift()?.()
  }
  return {
    script,
    arrival: (): Promise<void> => new Promise((resolve) => void waiting.push(resolve)),
    answer(): void {
      for (const connection of arrived.splice(0)) connection.json({ ok: true })
    },
  }
}

function chatOf(content: unknown): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
}

const LONG = chatOf('x'.repeat(200 * KIB))

test('bodies that extensions make are counted: where there is no memory for them the caller gets 503, and small ones go on', async () => {
  const path = write(
    'longer',
    `const body = await context.body()
     if (body.short) return next(request)
     return next(new Request(request, { body: JSON.stringify({ ...body, pad: 'x'.repeat(${300 * KIB}) }) }))`,
  )
  const held = heldUpstream()
  const { chat } = await start({
    upstreams: { one: held.script },
    env: { MAX_MEMORY_BYTES: String(500 * KIB) },
    file: { extensions: [path] },
  })
  const there = held.arrival()
  const first = chat(chatOf('hi'))
  await there
  const second = await chat(chatOf('hi'))
  expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1'])
  const shortThere = held.arrival()
  const third = chat('{"model":"m","messages":[],"short":true}')
  await shortThere
  held.answer()
  expect([(await first).status, (await third).status]).toEqual([200, 200])
  const againThere = held.arrival()
  const again = chat(chatOf('hi'))
  await againThere
  held.answer()
  expect((await again).status).toBe(200)
})

test('what a body was parsed to is let go when it is sent, also where an extension has had it parsed, and is parsed anew where one asks again', async () => {
  const path = write(
    'twice',
    `await context.body()
     const response = await next(request)
     const body = await context.body()
     response.headers.set('x-length', String(body.messages.length))
     return response`,
  )
  const held = heldUpstream()
  // Small values take many times the memory of their text.
  const dense = JSON.stringify({ model: 'm', messages: Array.from({ length: 12_000 }, () => ({ a: 1 })) })
  const { chat } = await start({
    upstreams: { one: held.script },
    env: { MAX_MEMORY_BYTES: '3MiB' },
    file: { extensions: [path] },
  })
  const calls: Promise<Response>[] = []
  for (let count = 0; count < 3; count += 1) {
    const there = held.arrival()
    calls.push(chat(dense))
    await there
  }
  held.answer()
  const answers = await Promise.all(calls)
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(answers.map(({ headers }) => headers.get('x-length'))).toEqual(['12000', '12000', '12000'])
})

test('an extension may go on with the same body again and again', async () => {
  const path = write(
    'again',
    `await context.body()
     await next(request)
     return next(request)`,
  )
  const bodies: string[] = []
  const { chat } = await start({
    upstreams: {
      one: async (request, connection) => {
        bodies.push(Buffer.from((await request.body) as Uint8Array).toString())
        connection.json({ ok: true })
      },
    },
    file: { extensions: [path] },
  })
  expect((await chat(LONG)).status).toBe(200)
  expect(bodies.map((body) => body === LONG)).toEqual([true, true])
})

/** Turns that an extension, which may run in another process, and its test wait for: it asks for `/<turn>`, and goes on when it is answered. */
function startTurns() {
  const turns = { begun: turn(), arrived: turn(), refused: turn(), freed: turn() }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch({ url }) {
      const { reached, allowed } = turns[new URL(url).pathname.slice(1) as keyof typeof turns]
      reached.resolve()
      await allowed.promise
      return new Response()
    },
  })
  return { ...turns, port: server.port, [Symbol.asyncDispose]: () => server.stop(true) }
}

function turn() {
  return { reached: Promise.withResolvers<void>(), allowed: Promise.withResolvers<void>() }
}

const startTurn = perTest(async () => startTurns())

test.each([
  ['all of it goes on once there is memory', true],
  ['the caller is told where there is still none', false],
])('a chunked body that there was no memory for is not lost, though an extension goes on: %s', async (_, isFreed) => {
  const turns = await startTurn()
  turns.begun.allowed.resolve()
  turns.refused.allowed.resolve()
  const path = write(
    'goes-on',
    `if (!request.url.endsWith('/odd')) return next(request)
     const wait = (turn) => fetch('http://127.0.0.1:${turns.port}/' + turn)
     await wait('begun')
     await wait('arrived')
     await request.text().catch(() => wait('refused'))
     await wait('freed')
     return next(request)`,
  )
  const held = heldUpstream()
  const bodies: number[] = []
  const gateway = await start({
    upstreams: {
      one: async (request, connection) => {
        bodies.push((await request.body).byteLength)
        await held.script(request, connection)
      },
    },
    env: { MAX_MEMORY_BYTES: String(300 * KIB) },
    file: { extensions: [path] },
  })
  const there = held.arrival()
  const first = gateway.chat(LONG)
  await there
  const client = await openRawClient(gateway.port)
  const headers = { 'Transfer-Encoding': 'chunked', 'Content-Type': 'application/octet-stream' }
  client.write(getText('/v1/odd', { ...OWN_KEY, ...headers }, 'POST'))
  await turns.begun.reached.promise
  client.write(`${(150 * KIB).toString(16)}\r\n${'x'.repeat(150 * KIB)}\r\n0\r\n\r\n`)
  // By the time that this is answered, what was sent before has been read.
  await sendRaw(gateway.port, getText('/health'))
  turns.arrived.allowed.resolve()
  await turns.refused.reached.promise
  if (isFreed) {
    held.answer()
    await first
    const oddThere = held.arrival()
    turns.freed.allowed.resolve()
    await oddThere
    held.answer()
    expect((await client.response()).status).toBe(200)
    expect(bodies).toEqual([LONG.length, 150 * KIB])
  } else {
    turns.freed.allowed.resolve()
    expect(statusAndCode(await client.response())).toBe('503 memory_full')
    held.answer()
    await first
    expect(bodies).toEqual([LONG.length])
  }
})
