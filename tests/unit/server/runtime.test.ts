import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { peek } from 'bun'
import { streamByHand } from '../../helpers/stream-by-hand.ts'

/**
 * What the edge builds on that no standard promises. An upgrade of the runtime that changes one of these is noticed here.
 */
describe('the runtime', () => {
  let server: ReturnType<typeof Bun.serve>

  beforeAll(() => {
    server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('ok', { headers: { 'x-a': 'b' } }) })
  })

  afterAll(() => server.stop(true))

  test('lets the headers of a fetched response be changed, so that it can be handed on itself', async () => {
    const response = await fetch(server.url)
    await response.arrayBuffer()
    response.headers.delete('x-a')
    response.headers.set('x-c', 'd')
    expect([response.headers.has('x-a'), response.headers.get('x-c')]).toEqual([false, 'd'])
  })

  test('lets a note be kept on a Request and a Response', () => {
    const key = Symbol('note')
    const request = Object.assign(new Request('http://a/'), { [key]: 1 })
    expect(request[key]).toBe(1)
  })

  test('makes a Request whose own headers can be filled', () => {
    const request = new Request('http://a/', { method: 'POST' })
    request.headers.append('x-a', 'b')
    expect(new Request(request).headers.get('x-a')).toBe('b')
  })

  test('gives all chunks of a stream that are there at once', async () => {
    const stream = new ReadableStream<number>({
      start(controller) {
        controller.enqueue(1)
        controller.enqueue(2)
        controller.close()
      },
    })
    const reader = stream.getReader() as ReadableStreamDefaultReader<number> & {
      readMany(): unknown
    }
    expect(await reader.readMany()).toMatchObject({ value: [1, 2], done: false })
  })

  test('tells without a turn whether a chunk of a stream is there', async () => {
    const { stream, give } = streamByHand()
    const reader = stream.getReader()
    const waiting = reader.read()
    expect(peek(waiting)).toBe(waiting)
    give('one')
    await waiting
    give('two')
    const there = reader.read()
    expect(peek.status(there)).toBe('fulfilled')
    expect(peek(there)).toMatchObject({ done: false })
  })

  test('copies what a socket’s data event brings, and what is written to it', async () => {
    const held: Buffer[] = []
    const both = Promise.withResolvers<void>()
    const listener = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket, bytes) {
          held.push(bytes)
          if (held.length === 1) socket.write('next')
          else both.resolve()
        },
      },
    })
    const scratch = Buffer.from('first')
    const client = await Bun.connect({
      hostname: '127.0.0.1',
      port: listener.port,
      socket: {
        data(socket) {
          socket.write('later')
        },
      },
    })
    client.write(scratch)
    scratch.fill(0)
    await both.promise
    client.end()
    listener.stop(true)
    expect(held.map(String)).toEqual(['first', 'later'])
  })
})
