import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const ABC = { a: answerAs('a'), b: answerAs('b'), c: answerAs('c') }

/** A model with targets at some upstreams. */
function smart(targets: readonly object[], more: object = {}): object {
  return { models: { smart: { targets, ...more } } }
}

/** Who answers so many calls, one after the other. */
async function whoAnswers(
  chat: (body: Readonly<Record<string, unknown>>) => Promise<Response>,
  calls: number,
): Promise<string> {
  let names = ''
  for (let call = 0; call < calls; call += 1) {
    names += ((await (await chat({ model: 'smart' })).json()) as { by: string }).by
  }
  return names
}

test('without a word about it, targets are tried in order: the first has all calls while it is well', async () => {
  const { chat, upstreams } = await start({
    upstreams: ABC,
    file: smart([{ upstream: 'b' }, { upstream: 'a' }, { upstream: 'c' }]),
  })
  expect(await whoAnswers(chat, 4)).toBe('bbbb')
  upstreams.b.play(fail(503))
  upstreams.a.play(fail(429))
  expect(await whoAnswers(chat, 2)).toBe('cc')
})

test('an order of its own puts a target before others, and the strategy chooses among those of the same order', async () => {
  const { chat, upstreams } = await start({
    upstreams: ABC,
    file: smart(
      [
        { upstream: 'a', order: 1 },
        { upstream: 'b', order: 0 },
        { upstream: 'c', order: 0 },
      ],
      { strategy: 'round_robin' },
    ),
  })
  expect(await whoAnswers(chat, 4)).toMatch(/^(?:bcbc|cbcb)$/)
  upstreams.b.play(fail(503))
  upstreams.c.play(fail(503))
  expect(await whoAnswers(chat, 1)).toBe('a')
})

test('round robin has each target first in its turn', async () => {
  const { chat } = await start({
    upstreams: ABC,
    file: smart([{ upstream: 'a' }, { upstream: 'b' }, { upstream: 'c' }], { strategy: 'round_robin' }),
  })
  expect(await whoAnswers(chat, 9)).toMatch(/^(?:abcabcabc|bcabcabca|cabcabcab)$/)
})

test('a weight makes a model weighted: the heavy target has nearly all calls, the light one takes over', async () => {
  const { chat, upstreams } = await start({
    upstreams: ABC,
    file: smart([
      { upstream: 'a', weight: 1_000_000 },
      { upstream: 'b', weight: 0.001 },
    ]),
  })
  expect(await whoAnswers(chat, 8)).toBe('aaaaaaaa')
  upstreams.a.play(fail(503))
  expect(await whoAnswers(chat, 1)).toBe('b')
})

test('the least busy of two targets has the next call, so that both have as many under way', async () => {
  const release = Promise.withResolvers<void>()
  const arrivals: string[] = []
  let isThere = Promise.withResolvers<void>()
  const hold = (name: string): Script => {
    return async (request, connection) => {
      arrivals.push(name)
      isThere.resolve()
      await release.promise
      await answerAs(name)(request, connection)
    }
  }
  const { chat } = await start({
    upstreams: { a: hold('a'), b: hold('b') },
    file: smart([{ upstream: 'a' }, { upstream: 'b' }], { strategy: 'least_busy' }),
  })
  const calls: Promise<Response>[] = []
  for (let call = 0; call < 6; call += 1) {
    isThere = Promise.withResolvers()
    calls.push(chat({ model: 'smart' }))
    await isThere.promise
  }
  expect(arrivals.join('')).toMatch(/^(?:ab|ba){3}$/)
  release.resolve()
  expect((await Promise.all(calls)).every(({ ok }) => ok)).toBe(true)
})

test('the keys of a pool take turns, and the next one is asked where one has spent its quota', async () => {
  const gateway = await start({
    upstreams: { pool: answerAs('pool') },
    settings: { pool: { api_keys: ['sk-one', 'sk-two'] } },
  })
  for (let call = 0; call < 4; call += 1) await (await gateway.chat({ model: 'm' })).text()
  const keys = (): (string | undefined)[] =>
    gateway.upstreams.pool.requests.map(({ header }) => header('authorization'))
  expect(keys()).toEqual(['Bearer sk-one', 'Bearer sk-two', 'Bearer sk-one', 'Bearer sk-two'])
  gateway.upstreams.pool.play((request, connection) =>
    (request.header('authorization') === 'Bearer sk-one' ? fail(429) : answerAs('pool'))(request, connection),
  )
  const response = await gateway.chat({ model: 'm' })
  expect(response.status).toBe(200)
  expect(keys().slice(4)).toEqual(['Bearer sk-one', 'Bearer sk-two'])
  const line = await gateway.exchange(5)
  expect(line).toMatchObject({
    tries: [
      { target: 'pool', status: 429 },
      { target: 'pool#2', status: 200 },
    ],
  })
  expect(JSON.stringify(gateway.lines)).not.toContain('sk-')
})
