import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const PAIRS = 10_000
/** So few of them that equal requests of several callers meet all the time, under way and afterwards. */
const CALLERS = ['sk-a', 'sk-b', 'sk-c'] as const
const NAMES = ['key-1', 'key-2', undefined] as const

let gateway: TestGateway<'one'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: {
      one: async (request, connection) => {
        await request.body
        await Bun.sleep(1)
        connection.json({ object: 'thing', whose: request.header('authorization') })
      },
    },
    settings: { one: { auth: 'caller' } },
    file: { cache: {} },
  })
})

afterAll(() => gateway.stop())

/** What one caller asks: for an embedding, so that equal requests are for the cache. */
const call = fc.record({
  caller: fc.constantFrom(...CALLERS),
  name: fc.constantFrom(...NAMES),
  input: fc.constantFrom(1, 2),
})

test('two callers never share a byte of a cached, coalesced or idempotent answer', async () => {
  const words = new Set<string | null>()
  await fc.assert(
    fc.asyncProperty(call, call, fc.boolean(), async (left, right, isAtOnce) => {
      const ask = async ({ caller, name, input }: typeof left) => {
        // Another body under the same key is refused, and shows nothing of anybody either.
        const answer = await gateway.chat(
          JSON.stringify({ model: 'm', input }),
          { authorization: `Bearer ${caller}`, ...(name !== undefined && { 'idempotency-key': name }) },
          '/v1/embeddings',
        )
        const text = await answer.text()
        words.add(answer.headers.get('x-nexcode-cache'))
        for (const other of CALLERS) if (other !== caller) expect(text).not.toContain(other)
        if (answer.status !== 422) expect(JSON.parse(text)).toEqual({ object: 'thing', whose: `Bearer ${caller}` })
      }
      if (isAtOnce) await Promise.all([ask(left), ask(right)])
      else {
        await ask(left)
        await ask(right)
      }
    }),
    { numRuns: PAIRS },
  )
  // It was the cache that answered most of them.
  expect(words).toContain('HIT')
  expect(gateway.upstreams.one.requests.length).toBeLessThan(30)
})
