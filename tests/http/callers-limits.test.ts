import { describe, expect, test } from 'bun:test'
import { writeConfigFile } from '../helpers/config-file.ts'
import { perTest } from '../helpers/per-test.ts'
import { type Script, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BOTH = { models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } } }
const ALICE = { authorization: 'Bearer sk-alice-0000000000' }
const BOB = { authorization: 'Bearer sk-bob-000000000000' }
const TOKEN = 'nx-token-0123456789abcdef'
const LIMITED = { 'retry-after': '60' }

/** Refuses one key, and answers all others. */
function refusing(key: string, refusal: Script, name = 'first'): Script {
  return (request, connection) =>
    (request.header('authorization')?.includes(key) === true ? refusal : answerAs(name))(request, connection)
}

async function askedAs(chat: TestGateway<string>['chat'], headers: Readonly<Record<string, string>>) {
  const response = await chat({ model: 'smart' }, headers)
  const { by } = (await response.json()) as { readonly by?: string }
  return by ?? response.status
}

describe('what an upstream tells a caller’s own key', () => {
  test.each([
    ['429 with Retry-After', fail(429, LIMITED)],
    ['401', fail(401)],
    ['402', fail(402)],
    ['403', fail(403)],
  ])('sends nobody else elsewhere: %s', async (_what, refusal) => {
    const { chat, upstreams } = await start({
      upstreams: { first: refusing('alice', refusal), second: answerAs('second') },
      settings: { first: { auth: 'caller' }, second: { auth: 'caller' } },
      file: { ...BOTH, breaker: { failures: 1, open: '1h', open_max: '1h' } },
    })
    for (let call = 0; call < 3; call += 1) await (await chat({ model: 'smart' }, ALICE)).text()
    expect([await askedAs(chat, BOB), await askedAs(chat, BOB)]).toEqual(['first', 'first'])
    // Nor the one who was told: that is between that caller and the upstream.
    expect(upstreams.first.requests).toHaveLength(5)
  })

  test('is no reason for a 503 where all_open is refuse', async () => {
    const { chat } = await start({
      upstreams: { first: refusing('alice', fail(429, LIMITED)) },
      settings: { first: { auth: 'caller' } },
      file: { all_open: 'refuse', models: { smart: { targets: [{ upstream: 'first' }] } } },
    })
    expect(await askedAs(chat, ALICE)).toBe(429)
    expect(await askedAs(chat, BOB)).toBe('first')
  })

  test('is followed by the next target for that very call, as retry.on says', async () => {
    const gateway = await start({
      upstreams: { first: refusing('alice', fail(429, LIMITED)), second: answerAs('second') },
      settings: { first: { auth: 'caller' }, second: { auth: 'caller' } },
      file: BOTH,
    })
    expect(await askedAs(gateway.chat, ALICE)).toBe('second')
    expect(await gateway.exchange(1)).toMatchObject({ tries: [{ status: 429 }, { status: 200 }] })
  })

  test('and what the target itself fails of (500, no answer) is learnt for all', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: refusing('alice', fail(500)), second: answerAs('second') },
      settings: { first: { auth: 'caller' }, second: { auth: 'caller' } },
      file: { ...BOTH, breaker: { failures: 2, open: '1h', open_max: '1h' } },
    })
    for (let call = 0; call < 2; call += 1) expect(await askedAs(chat, ALICE)).toBe(500)
    expect(await askedAs(chat, BOB)).toBe('second')
    expect(upstreams.first.requests).toHaveLength(2)
  })
})

describe('what an upstream tells the server’s key', () => {
  test('keeps no caller with an own key away, nor the other way round, where either may be spent', async () => {
    for (const [limited, other] of [
      [{}, BOB],
      [BOB, {}],
    ]) {
      const key = limited === BOB ? 'sk-bob' : 'sk-server'
      const upstream = await startScriptedUpstream(refusing(key, fail(429, LIMITED)))
      const file = writeConfigFile({ all_open: 'refuse', retry: { attempts: 1 } })
      const gateway = await startGateway({
        env: {
          NEXCODE_CONFIG: file.path,
          OPENAI_API_BASE: `${upstream.url}/v1`,
          OPENAI_API_KEY: 'sk-server-00000000',
        },
      })
      const ask = async (headers: Readonly<Record<string, string>> = {}) =>
        (await fetch(`${gateway.url}/v1/models`, { headers })).status
      // A program of this machine that brings nothing is lent the server's key, whose limit holds for all who spend it.
      expect(await ask(limited)).toBe(429)
      expect(await ask(limited)).toBe(limited === BOB ? 429 : 503)
      expect(await ask(other)).toBe(200)
      await gateway.stop()
      await upstream.close()
      file.remove()
    }
  })

  test('of a project that a caller has named is that caller’s affair', async () => {
    const limited: Script = (request, connection) =>
      (request.header('openai-project') === 'proj_a' ? fail(429, LIMITED) : answerAs('first'))(request, connection)
    const { chat } = await start({
      upstreams: { first: limited, second: answerAs('second') },
      settings: { first: { api_key: 'sk-server-00000000' }, second: { auth: 'none' } },
      file: BOTH,
      env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN },
    })
    const holder = { authorization: `Bearer ${TOKEN}` }
    expect(await askedAs(chat, { ...holder, 'openai-project': 'proj_a' })).toBe('second')
    expect(await askedAs(chat, holder)).toBe('first')
  })
})

test('what one caller’s key was told is no answer to those who wait for the same call, though the cache is shared by all', async () => {
  const isJoined = Promise.withResolvers<void>()
  const slow: Script = async (request, connection) => {
    if (request.header('authorization')?.includes('bob') === true) return answerAs('first')(request, connection)
    await isJoined.promise
    await fail(429, LIMITED)(request, connection)
  }
  const gateway = await start({
    upstreams: { first: slow },
    settings: { first: { auth: 'caller' } },
    file: { cache: { scope: 'shared' }, models: { smart: { targets: [{ upstream: 'first' }] } } },
  })
  const ask = (headers: Readonly<Record<string, string>>) => gateway.chat({ model: 'smart', temperature: 0 }, headers)
  const alices = ask(ALICE)
  await gateway.upstreams.first.request(1)
  const bobs = ask(BOB)
  await (await fetch(`${gateway.url}/v1/models`, { headers: BOB })).text()
  await Bun.sleep(50)
  isJoined.resolve()
  expect([(await alices).status, (await bobs).status]).toEqual([429, 200])
})
