import { expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { getText, openRawClient, type RawClient, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { CHAT, OWN_KEY } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { byHand } from '../helpers/upstream-scripts.ts'

const KIB = 1024

function chatOf(bytes: number): string {
  const empty = '{"model":"m","messages":[{"role":"user","content":""}]}'
  return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`)
}

async function answerOf(client: RawClient): Promise<readonly [string, string | null]> {
  const answer = await client.response()
  return [statusAndCode(answer), answer.headers.get('retry-after') ?? null]
}

test('bodies that would take more memory than there is for them are a 503 that says when to come again; small ones are served', async () => {
  const gateway = await startGateway({ upstreams: { openai: byHand }, env: { MAX_MEMORY_BYTES: String(600 * KIB) } })
  try {
    const first = await gateway.send({ body: chatOf(400 * KIB) })
    const held = await gateway.upstreams.openai.arrival()
    await held.request.body
    const second = await gateway.send({ body: chatOf(400 * KIB) })
    expect(await answerOf(second.client)).toEqual(['503 memory_full', '1'])
    const encoded = gzipSync(Buffer.from(chatOf(400 * KIB)))
    const third = await gateway.send({ body: encoded, headers: { ...OWN_KEY, 'Content-Encoding': 'gzip' } })
    expect(await answerOf(third.client)).toEqual(['503 memory_full', '1'])
    const small = await gateway.send({ body: CHAT })
    const other = await gateway.upstreams.openai.arrival()
    await other.request.body
    other.connection.json({ ok: true })
    expect((await small.client.response()).status).toBe(200)
    held.connection.json({ ok: true })
    expect((await first.client.response()).status).toBe(200)
    await first.record()
    const again = await gateway.send({ body: chatOf(400 * KIB) })
    const last = await gateway.upstreams.openai.arrival()
    await last.request.body
    last.connection.json({ ok: true })
    expect((await again.client.response()).status).toBe(200)
  } finally {
    await gateway.stop()
  }
})

test('a body that only passes through is not counted', async () => {
  const gateway = await startGateway({ upstreams: { openai: byHand }, env: { MAX_MEMORY_BYTES: String(100 * KIB) } })
  try {
    const call = await gateway.send({
      target: '/v1/files',
      headers: { ...OWN_KEY, 'Content-Type': 'application/octet-stream' },
      body: new Uint8Array(1024 * KIB),
    })
    const arrival = await gateway.upstreams.openai.arrival()
    expect((await arrival.request.body).byteLength).toBe(1024 * KIB)
    arrival.connection.json({ ok: true })
    expect((await call.client.response()).status).toBe(200)
  } finally {
    await gateway.stop()
  }
})

test('whoever leaves takes what was held of its body along', async () => {
  const gateway = await startGateway({ upstreams: { openai: byHand }, env: { MAX_MEMORY_BYTES: String(600 * KIB) } })
  try {
    for (let count = 0; count < 4; count += 1) {
      const call = await gateway.send({ body: chatOf(500 * KIB) })
      await (await gateway.upstreams.openai.arrival()).request.body
      call.client.leave()
      await call.record()
    }
    const probe = await sendRaw(gateway.port, getText('/health'))
    expect(probe.status).toBe(200)
  } finally {
    await gateway.stop()
  }
})

test('a JSON answer that is held until it is whole counts, and one that finds no memory goes on as it comes', async () => {
  const gateway = await startGateway({ upstreams: { openai: byHand }, env: { MAX_MEMORY_BYTES: String(300 * KIB) } })
  try {
    const answer = JSON.stringify({ text: 'x'.repeat(200 * KIB) })
    const begin = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n${answer.slice(0, 100)}`
    const calls = [await gateway.send({ body: CHAT }), await gateway.send({ body: CHAT })]
    const arrivals = [await gateway.upstreams.openai.arrival(), await gateway.upstreams.openai.arrival()]
    for (const { connection } of arrivals) connection.write(begin)
    await Promise.any(calls.map(({ client }) => client.until((received) => received.includes('xx'))))
    expect(calls.map(({ client }) => client.received().byteLength > 0).filter(Boolean)).toHaveLength(1)
    for (const { connection } of arrivals) connection.write(answer.slice(100))
    for (const { client } of calls) expect((await client.response()).text() === answer).toBe(true)
  } finally {
    await gateway.stop()
  }
})

test('clients that take nothing of long answers are cut where they would take more memory than there is, and others are served', async () => {
  const gateway = await startGateway({ upstreams: { openai: byHand }, env: { MAX_MEMORY_BYTES: '4MiB' } })
  try {
    const sockets = await Promise.all(Array.from({ length: 6 }, () => openUnread(gateway.port)))
    const cut = Promise.race(sockets.map((socket) => new Promise((resolve) => void socket.once('close', resolve))))
    const answer = new Uint8Array(32 * 1024 * KIB)
    for (let count = 0; count < sockets.length; count += 1) {
      const { connection } = await gateway.upstreams.openai.arrival()
      connection.respond(200, { 'content-type': 'application/octet-stream' }, answer)
    }
    await cut
    const told = await gateway.line(({ msg }) => String(msg).includes('MAX_MEMORY_BYTES is used up'))
    expect(told['memory_bytes_max']).toBe(4 * 1024 * KIB)
    const call = await gateway.send({ body: CHAT })
    const arrival = await gateway.upstreams.openai.arrival()
    arrival.connection.json({ ok: true })
    expect((await call.client.response()).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  } finally {
    await gateway.stop()
  }
})

/** Asks for a file, and reads nothing of it. */
async function openUnread(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => void socket.once('connect', () => resolve()))
  socket.pause()
  socket.write(getText('/v1/files/file-1/content', OWN_KEY))
  return socket
}

const DENSE = `{"model":"m","messages":[${'{"a":1},'.repeat(8000)}{}]}`
const MANY = `{"model":"m","messages":[],${Array.from({ length: 5000 }, (_, at) => `"n${at}":0`).join()}}`

test.each([
  ['of a declared length', chatOf(400 * KIB), {}],
  ['of a declared length, counted as it comes', chatOf(1200 * KIB), {}],
  ['in chunks', chatOf(400 * KIB), { 'Transfer-Encoding': 'chunked' }],
  ['that decodes to more', gzipSync(Buffer.from(chatOf(400 * KIB))), { 'Content-Encoding': 'gzip' }],
  ['whose values take more', DENSE, {}],
  ['whose members take more', MANY, {}],
] as const)(
  'behind the refusal of a body %s, its connection serves the next request or is closed',
  async (_, body, coding) => {
    // With this strategy, all of a body is read.
    const models = { m: { strategy: 'affinity', targets: [{ upstream: 'openai' }] } }
    const gateway = await startGateway({
      upstreams: { openai: byHand },
      env: { MAX_MEMORY_BYTES: String(600 * KIB), IDEMPOTENCY: 'off' },
      ...(body === DENSE && { file: { models } }),
    })
    try {
      const first = await gateway.send({ body: chatOf(500 * KIB) })
      const held = await gateway.upstreams.openai.arrival()
      await held.request.body
      for (const isSentAtOnce of [true, false]) {
        const isChunked = 'Transfer-Encoding' in coding
        const bytes = Buffer.from(body)
        const framing = isChunked ? coding : { ...coding, 'Content-Length': String(bytes.byteLength) }
        const parts = isChunked ? [`${bytes.byteLength.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n'] : [bytes]
        const type = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }
        const head = getText('/v1/chat/completions', { ...OWN_KEY, ...type, ...framing }, 'POST')
        const client = await openRawClient(gateway.port)
        const whole = Buffer.concat([Buffer.from(head), ...parts.map((part) => Buffer.from(part))])
        const cut = isSentAtOnce ? whole.byteLength : head.length + 1000
        client.write(whole.subarray(0, cut))
        if (!isSentAtOnce) {
          await sendRaw(gateway.port, getText('/health'))
          client.write(whole.subarray(cut))
        }
        client.write(getText('/health'))
        const refusal = await client.response()
        expect([statusAndCode(refusal), refusal.headers.get('retry-after')]).toEqual(['503 memory_full', '1'])
        const isSecond = (received: Buffer): boolean => received.toString('latin1').includes('HTTP/1.1 200 OK')
        const served = await client.until(isSecond).catch(() => undefined)
        if (served === undefined) expect(refusal.headers.get('connection')).toBe('close')
        expect(
          client
            .received()
            .toString('latin1')
            .match(/HTTP\/1\.1 /g)?.length,
        ).toBe(served === undefined ? 1 : 2)
        client.leave()
      }
      held.connection.json({ ok: true })
      expect((await first.client.response()).status).toBe(200)
      await first.record()
      const again = await gateway.send({ body: chatOf(500 * KIB) })
      const last = await gateway.upstreams.openai.arrival()
      expect((await last.request.body).byteLength).toBe(500 * KIB)
      last.connection.json({ ok: true })
      expect((await again.client.response()).status).toBe(200)
    } finally {
      await gateway.stop()
    }
  },
)
