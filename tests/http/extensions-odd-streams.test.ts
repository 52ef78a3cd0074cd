import { describe, expect, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)
const { write, folder } = extensionFiles()

/** A body of these chunks, none of which is asked for before its turn. */
function giving(...chunks: readonly string[]): string {
  return `return new Response(new ReadableStream({ start(to) { for (const one of [${chunks.join(', ')}]) to.enqueue(one); to.close() } }))`
}

/** All that a caller with these headers gets, to the end of its connection. */
async function answered(port: number, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const client = await openRawClient(port)
  client.write(postText('/v1/chat/completions', '{"model":"m","messages":[]}', headers))
  await client.closed
  return client.received().toString('latin1')
}

const FIRST = "new TextEncoder().encode('first')"
const ODD = [
  ['a text', "'text'", 'a string'],
  ['a number', '5', 'a number'],
  ['nothing', 'null', 'null'],
  ['a buffer', 'new Uint8Array([65, 66]).buffer', 'an ArrayBuffer'],
  ['a view of buffers', 'new DataView(new ArrayBuffer(3))', 'an DataView'],
  ['numbers of two bytes', 'new Uint16Array([0x4444])', 'an Uint16Array'],
  [
    'bytes that it has given away',
    '(() => { const bytes = new Uint8Array(3); structuredClone(bytes.buffer, { transfer: [bytes.buffer] }); return bytes })()',
    'a detached Uint8Array',
  ],
] as const

describe('an extension whose own stream gives', () => {
  test.each(ODD)(
    '%s in place of bytes breaks it behind what was right, and the log says whose fault it is',
    async (what, chunk) => {
      const path = write(`odd-${ODD.findIndex(([name]) => name === what)}`, giving(FIRST, chunk))
      const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
      const [head = '', body] = (await answered(gateway.port)).split('\r\n\r\n')
      expect(head.split('\r\n')[0]).toBe('HTTP/1.1 200 OK')
      // Both chunks may be read at once; then neither has gone out.
      expect(['', '5\r\nfirst\r\n']).toContain(body ?? '')
      const line = await gateway.exchange(1)
      expect(line).toMatchObject({ outcome: 'failed', error: 'extension_failed', attempts: 0 })
      expect(String(line['cause'])).toContain(`gave ${ODD.find(([name]) => name === what)?.[2]}`)
    },
  )

  test('an error is told as its own, and not as the upstream’s', async () => {
    const path = write('boom', `return new Response(new ReadableStream({ pull() { throw new Error('boom') } }))`)
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
    await answered(gateway.port)
    expect(await gateway.exchange(1)).toMatchObject({
      outcome: 'failed',
      error: 'extension_failed',
      cause: 'Error: boom',
    })
  })
})

test('no bytes of another caller’s answer stand where an extension gave a buffer', async () => {
  const path = write(
    'leak',
    `return request.headers.get('x-odd') === null ? Response.json({ secret: 'SECRET-'.repeat(20) }) : new Response(new ReadableStream({ start(to) { to.enqueue(new ArrayBuffer(400)); to.close() } }))`,
  )
  const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
  expect(await answered(gateway.port, { connection: 'close' })).toContain('SECRET')
  expect(await answered(gateway.port, { connection: 'close', 'x-odd': '1' })).not.toContain('SECRET')
})

test('a file that is not there, as the body of an extension’s answer, costs its connection, ends the exchange and gives its place back', async () => {
  const path = write('no-file', `return new Response(Bun.file('${folder}/is-not-there'))`)
  const gateway = await start({
    upstreams: { one: answerAs('one') },
    file: { extensions: [path] },
    env: { MAX_IN_FLIGHT: '2' },
  })
  for (let asked = 1; asked <= 5; asked += 1) {
    expect(await answered(gateway.port)).toBe('')
    expect(await gateway.exchange(asked)).toMatchObject({ outcome: 'failed', error: 'extension_failed' })
  }
})
