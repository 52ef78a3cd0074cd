import { expect, test } from 'bun:test'
import { listenHttp1 } from '../../../../src/server/http1/listen.ts'
import { createDeadlines } from '../../../../src/timing/deadlines.ts'
import { getText, openRawClient } from '../../../helpers/raw-client.ts'

const broken = new Error('a defect of ours')

test.each([
  ['that is rejected', () => Promise.reject(broken)],
  [
    'that cannot be written',
    () => {
      const response = new Response('text')
      Object.defineProperty(response, 'headers', {
        get() {
          throw broken
        },
      })
      return Promise.resolve(response)
    },
  ],
  [
    'whose body somebody else reads',
    () => {
      const response = new Response(new ReadableStream())
      response.body?.getReader()
      return Promise.resolve(response)
    },
  ],
] as const)('an answer %s costs its connection, is told, and leaves nothing under way', async (_, serve) => {
  const defects: unknown[] = []
  const server = listenHttp1(
    { hostname: '127.0.0.1', port: 0 },
    {
      deadlines: createDeadlines(),
      uploadIdleMs: 0,
      writeIdleMs: 0,
      serve,
      refuse: () => new Response(),
      onDefect: (cause) => void defects.push(cause),
    },
  )
  const client = await openRawClient(server.port)
  client.write(getText('/'))
  await client.closed
  expect(client.received().byteLength).toBe(0)
  expect(defects).toHaveLength(1)
  await server.close()
})
