import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

type Body = Readonly<Record<string, unknown>>
type Name = 'a' | 'b' | 'c'

const SYSTEM = { role: 'system', content: 'You are a librarian.' }

function startThree(): Promise<TestGateway<Name>> {
  return start({
    upstreams: { a: answerAs('a'), b: answerAs('b'), c: answerAs('c') },
    file: {
      models: {
        smart: { targets: [{ upstream: 'a' }, { upstream: 'b' }, { upstream: 'c' }], strategy: 'affinity' },
      },
    },
  })
}

async function whoAnswers({ chat }: TestGateway<Name>, body: Body): Promise<Name> {
  return ((await (await chat({ model: 'smart', ...body })).json()) as { by: Name }).by
}

/** Who answers each of many, of which no two belong together. */
function spread(gateway: TestGateway<Name>, bodyOf: (n: number) => Body): Promise<Set<Name>> {
  return Promise.all(Array.from({ length: 40 }, (_, n) => whoAnswers(gateway, bodyOf(n)))).then(
    (names) => new Set(names),
  )
}

describe('affinity sends to one target, again and again', () => {
  test('what has the same prompt_cache_key, whatever else is in it', async () => {
    const gateway = await startThree()
    const bodies = Array.from({ length: 10 }, (_, n) => ({
      prompt_cache_key: 'conversation-7',
      user: `user-${n}`,
      messages: [{ role: 'user', content: `question ${n}` }],
    }))
    expect(new Set(await Promise.all(bodies.map((body) => whoAnswers(gateway, body)))).size).toBe(1)
    expect((await spread(gateway, (n) => ({ prompt_cache_key: `conversation-${n}` }))).size).toBe(3)
  })

  test('what has the same user, where there is no such key', async () => {
    const gateway = await startThree()
    const bodies = Array.from({ length: 10 }, (_, n) => ({
      user: 'user-7',
      messages: [{ role: 'user', content: `question ${n}` }],
    }))
    expect(new Set(await Promise.all(bodies.map((body) => whoAnswers(gateway, body)))).size).toBe(1)
    expect((await spread(gateway, (n) => ({ user: `user-${n}` }))).size).toBe(3)
  })

  test('a conversation that begins alike, as it goes on', async () => {
    const gateway = await startThree()
    const beginning = [SYSTEM, { role: 'user', content: 'Which book?' }]
    const turns = Array.from({ length: 10 }, (_, n) => ({
      messages: [...beginning, ...Array.from({ length: n }, () => ({ role: 'assistant', content: `Book ${n}.` }))],
    }))
    expect(new Set(await Promise.all(turns.map((body) => whoAnswers(gateway, body)))).size).toBe(1)
    const others = await spread(gateway, (n) => ({ messages: [SYSTEM, { role: 'user', content: `Which ${n}?` }] }))
    expect(others.size).toBe(3)
  })
})

test('while its target fails, a conversation has one and the same other; the others stay where they are', async () => {
  const gateway = await startThree()
  const keys = Array.from({ length: 12 }, (_, n) => ({ prompt_cache_key: `key-${n}` }))
  const before = await Promise.all(keys.map((body) => whoAnswers(gateway, body)))
  const gone = before[0] ?? 'a'
  gateway.upstreams[gone].play(fail(503))
  const during = await Promise.all(keys.map((body) => whoAnswers(gateway, body)))
  const again = await Promise.all(keys.map((body) => whoAnswers(gateway, body)))
  expect(during).toEqual(again)
  for (const [index, name] of before.entries()) {
    if (name === gone) expect(during[index]).not.toBe(gone)
    else expect(during[index]).toBe(name)
  }
})

test('a pool of keys: a conversation stays with its key, and so with what the provider has cached under it', async () => {
  const { chat, upstreams } = await start({
    upstreams: { pool: answerAs('pool') },
    settings: { pool: { api_keys: ['sk-1', 'sk-2', 'sk-3'] } },
    file: { models: { smart: { targets: [{ upstream: 'pool' }], strategy: 'affinity' } } },
  })
  const keysOf = async (body: Body, calls: number): Promise<(string | undefined)[]> => {
    const before = upstreams.pool.requests.length
    for (let call = 0; call < calls; call += 1) await (await chat({ model: 'smart', ...body })).text()
    return upstreams.pool.requests.slice(before).map(({ header }) => header('authorization'))
  }
  const used = new Set<string | undefined>()
  for (let n = 0; n < 40; n += 1) {
    const keys = new Set(await keysOf({ prompt_cache_key: `key-${n}` }, 2))
    expect(keys.size).toBe(1)
    for (const key of keys) used.add(key)
  }
  expect([...used].toSorted()).toEqual(['Bearer sk-1', 'Bearer sk-2', 'Bearer sk-3'])
})

test('it is the same after a restart: nothing but the configuration decides', async () => {
  const { chat, upstreams } = await start({
    upstreams: { pool: answerAs('pool') },
    settings: { pool: { api_keys: ['sk-1', 'sk-2', 'sk-3'] } },
    file: { models: { smart: { targets: [{ upstream: 'pool' }], strategy: 'affinity' } } },
  })
  const { chat: afterRestart } = await start({
    upstreams: { pool: answerAs('unused') },
    settings: { pool: { base_url: `${upstreams.pool.url}/v1`, api_keys: ['sk-1', 'sk-2', 'sk-3'] } },
    file: { models: { smart: { targets: [{ upstream: 'pool' }], strategy: 'affinity' } } },
  })
  const bodies = Array.from({ length: 8 }, (_, n) => ({ model: 'smart', user: `user-${n}` }))
  for (const one of [chat, afterRestart]) for (const body of bodies) await (await one(body)).text()
  const keys = upstreams.pool.requests.map(({ header }) => header('authorization'))
  expect(keys.slice(8)).toEqual(keys.slice(0, 8))
})
