import { describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { errorOf } from '../helpers/received-answers.ts'
import { type Script, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const KEY = 'sk-canary-of-the-server-0123456789'
const TARGETS = { models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } } }
const ONE = { models: { smart: { targets: [{ upstream: 'first' }] } } }
const REFUSED = {
  message: expect.stringContaining('refused the key'),
  type: 'invalid_request_error',
  param: null,
  code: 'upstream_key_refused',
}
const WRONG = {
  error: {
    message: `Incorrect API key provided: sk-canar****6789. You can find your API key at https://platform.openai.com/account/api-keys.`,
    type: 'invalid_request_error',
    param: null,
    code: 'invalid_api_key',
  },
}

/** Refuses those keys with an error, and answers all others with its name. */
function knows(bad: readonly string[], error: object = WRONG, status = 401, name = 'first'): Script {
  return async (request, connection) => {
    await request.body
    const isBad = bad.some((key) => request.header('authorization') === `Bearer ${key}`)
    if (isBad) connection.json(error, status)
    else await answerAs(name)(request, connection)
  }
}

const isKeyWarning = ({ rests_ms: rests }: Readonly<Record<string, unknown>>): boolean => rests !== undefined

describe('a key of the server’s that the upstream refuses', () => {
  test('is followed by the next target, though retry.on has no 401; a WARN names the upstream and the key, never the key itself', async () => {
    const gateway = await start({
      upstreams: { first: knows([KEY]), second: answerAs('second') },
      settings: { first: { api_key: `\${THE_KEY}` } },
      file: TARGETS,
      env: { THE_KEY: KEY },
    })
    for (let call = 0; call < 3; call += 1)
      expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
    // The key rests, so that only the first of them met it.
    expect(gateway.upstreams.first.requests).toHaveLength(1)
    const warning = await gateway.line(isKeyWarning)
    expect(warning).toMatchObject({ level: 40, upstream: 'first', key: 'THE_KEY', status: 401, rests_ms: 30_000 })
    expect(JSON.stringify(gateway.lines)).not.toContain(KEY)
    expect(gateway.lines.filter(isKeyWarning)).toHaveLength(1)
    expect(await gateway.exchange(1)).toMatchObject({
      status: 200,
      attempts: 2,
      tries: [{ target: 'first/smart', status: 401, why: 'key_refused' }, { status: 200 }],
    })
  })

  test('gives way to the others of its pool, more of them than attempts, and for every model that is asked with it', async () => {
    const keys = ['sk-pool-a', 'sk-pool-b', 'sk-pool-c', 'sk-pool-d', 'sk-pool-e']
    const { chat, upstreams } = await start({
      upstreams: { first: knows(keys.slice(0, 4)) },
      settings: { first: { api_keys: keys } },
      file: {
        models: {
          smart: { targets: [{ upstream: 'first', model: 'a' }] },
          other: { targets: [{ upstream: 'first', model: 'b' }] },
        },
        retry: { attempts: 1 },
      },
    })
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    const asked = upstreams.first.requests.length
    for (let call = 0; call < 4; call += 1) {
      expect((await chat({ model: 'smart' })).status).toBe(200)
      expect((await chat({ model: 'other' })).status).toBe(200)
    }
    expect(upstreams.first.requests).toHaveLength(asked + 8)
  })

  test('that was the last one is a 502 of ours which SDKs do not ask again, and not the upstream’s body', async () => {
    const gateway = await start({
      upstreams: { first: knows([KEY, 'sk-other']), second: knows(['sk-other']) },
      settings: { first: { api_keys: [KEY, 'sk-other'] }, second: { api_key: 'sk-other' } },
      file: TARGETS,
    })
    const response = await gateway.chat({ model: 'smart' })
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(await errorOf(response)).toEqual([502, REFUSED])
    expect(await gateway.exchange(1)).toMatchObject({ status: 502, error: 'upstream_key_refused', attempts: 3 })
  })

  test.each([
    ['chat/completions', '{"model":"m","messages":[{"role":"user","content":"hi"}]}'],
    ['responses', '{"model":"m","input":"hi"}'],
    ['embeddings', '{"model":"m","input":"hi"}'],
    ['models', undefined],
    ['files', undefined],
  ])('is the same 502 without a file, for %s', async (path, body) => {
    const upstream = await startScriptedUpstream(knows([KEY]))
    const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, OPENAI_API_KEY: KEY } })
    const ask = () =>
      fetch(
        `${gateway.url}/v1/${path}`,
        body === undefined ? {} : { method: 'POST', body, headers: { 'content-type': 'application/json' } },
      )
    for (let call = 0; call < 3; call += 1) {
      const response = await ask()
      expect([response.headers.get('x-should-retry'), ...(await errorOf(response))]).toEqual(['false', 502, REFUSED])
    }
    expect(await gateway.line(isKeyWarning)).toMatchObject({ key: 'OPENAI_API_KEY', status: 401 })
    expect(gateway.lines.filter(isKeyWarning)).toHaveLength(1)
    await gateway.stop()
    await upstream.close()
  })

  test('is asked again when its rest is over, once, and then it is as before', async () => {
    let isRevoked = true
    const first: Script = (request, connection) => knows(isRevoked ? [KEY] : [])(request, connection)
    const { chat, upstreams } = await start({
      upstreams: { first, second: answerAs('second') },
      settings: { first: { api_key: KEY } },
      file: { ...TARGETS, breaker: { open: 60, open_max: 60 } },
    })
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
    isRevoked = false
    await Bun.sleep(100)
    for (let call = 0; call < 2; call += 1)
      expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    expect(upstreams.first.requests).toHaveLength(3)
  })

  test('under an upload that passes through is a 503 that the SDK asks again: there is another key', async () => {
    const gateway = await start({
      upstreams: { first: knows([KEY]) },
      settings: { first: { api_keys: [KEY, 'sk-good'] } },
      file: {},
    })
    const upload = () => {
      const chunks = [new Uint8Array(300_000), new Uint8Array(300_000)]
      const body = new ReadableStream({ pull: (c) => void (chunks.length > 0 ? c.enqueue(chunks.shift()) : c.close()) })
      return fetch(`${gateway.url}/v1/files`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      })
    }
    const answers = [await upload(), await upload()]
    expect(answers.map(({ status }) => status)).toEqual([503, 200])
    expect([answers[0]?.headers.get('x-should-retry'), answers[0]?.headers.get('retry-after')]).toEqual([null, '1'])
    expect((await upload()).status).toBe(200)
    expect(gateway.upstreams.first.requests.length).toBeGreaterThanOrEqual(3)
  })
})

describe('an answer speaks of the server’s key', () => {
  test.each([
    ['401 of a server that answers in words', 401, { error: 'Unauthorized' }],
    ['401 of Anthropic', 401, { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }],
    [
      '401 for a deactivated account',
      401,
      { error: { message: 'The OpenAI account … deactivated', code: 'account_deactivated' } },
    ],
    ['403 with the code', 403, { error: { message: 'no', code: 'invalid_api_key' } }],
    [
      '403 of Google',
      403,
      { error: { code: 403, message: 'Your API key was reported as leaked. Please use another API key.' } },
    ],
    ['400 of Google, in a list', 400, [{ error: { code: 400, details: [{ reason: 'API_KEY_INVALID' }] } }]],
    [
      '400 of xAI',
      400,
      { code: 'invalid-argument', error: 'Incorrect API key provided: xa***. You can obtain an API key.' },
    ],
  ])('%s', async (_what, status, error) => {
    for (const coding of [undefined, 'gzip']) {
      const { chat, stop } = await start({
        upstreams: {
          first: async (request, connection) => {
            await request.body
            const bytes = Buffer.from(JSON.stringify(error))
            const head = { 'content-type': 'application/json', ...(coding && { 'content-encoding': coding }) }
            connection.respond(status, head, coding === undefined ? bytes : gzipSync(bytes))
          },
          second: answerAs('second'),
        },
        settings: { first: { api_key: KEY } },
        file: TARGETS,
      })
      expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
      await stop()
    }
  })

  test.each([
    [
      'a region',
      403,
      {
        error: { message: 'Country, region, or territory not supported', code: 'unsupported_country_region_territory' },
      },
    ],
    [
      'the model',
      403,
      { error: { message: 'Project `p` does not have access to model `m`', code: 'model_not_found' } },
    ],
    [
      'the content',
      403,
      { error: { message: 'Your request: "invalid API key" was flagged', code: 'content_policy_violation' } },
    ],
    [
      'a right that the key has not',
      401,
      { error: { message: 'You have insufficient permissions for this operation. Missing scopes: api.files.read.' } },
    ],
    ['a parameter', 400, { error: { message: "Invalid value: 'Incorrect API key provided'", code: 'invalid_value' } }],
  ])('and not where it speaks of %s: that goes to the caller as it came', async (_what, status, error) => {
    const gateway = await start({
      upstreams: {
        first: async (request, connection) => {
          await request.body
          connection.json(error, status)
        },
        second: answerAs('second'),
      },
      settings: { first: { api_key: KEY } },
      file: TARGETS,
    })
    for (let call = 0; call < 2; call += 1) {
      const response = await gateway.chat({ model: 'smart' })
      expect([response.status, await response.json()]).toEqual([status, error])
    }
    expect([gateway.upstreams.first.requests.length, gateway.lines.filter(isKeyWarning).length]).toEqual([2, 0])
  })

  test('and not where the caller has named an organization that is not the key’s', async () => {
    const error = {
      message: 'OpenAI-Organization header should match organization for API key',
      code: 'mismatched_organization',
    }
    const { chat, stop } = await start({
      upstreams: { first: knows([KEY], { error }), second: answerAs('second') },
      settings: { first: { api_key: KEY } },
      file: TARGETS,
    })
    expect(await errorOf(await chat({ model: 'smart' }, { 'openai-organization': 'org-theirs' }))).toEqual([401, error])
    await stop()
    const own = await start({
      upstreams: { first: knows([KEY], { error }), second: answerAs('second') },
      settings: { first: { api_key: KEY, headers: { 'openai-organization': 'org-ours' } } },
      file: TARGETS,
    })
    expect(await (await own.chat({ model: 'smart' }, { 'openai-organization': 'org-theirs' })).json()).toMatchObject({
      by: 'second',
    })
  })

  test('and not of it where the caller’s own was spent', async () => {
    const gateway = await start({
      upstreams: { first: knows(['sk-mine']) },
      settings: { first: { auth: 'caller' } },
      file: ONE,
    })
    const response = await gateway.chat({ model: 'smart' }, { authorization: 'Bearer sk-mine' })
    expect([response.status, await response.json()]).toEqual([401, WRONG])
    expect(gateway.lines.filter(isKeyWarning)).toHaveLength(0)
  })

  test.each([
    ['402', 402, { error: { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' } }],
    [
      '429 insufficient_quota',
      429,
      { error: { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' } },
    ],
  ])(
    'as one that has nothing left to spend (%s): it rests, another is asked; the last one’s answer is handed on as it came',
    async (_what, status, error) => {
      const gateway = await start({
        upstreams: { first: knows([KEY], error, status), second: answerAs('second') },
        settings: { first: { api_key: KEY } },
        file: { models: { ...TARGETS.models, alone: { targets: [{ upstream: 'first' }] } } },
      })
      for (let call = 0; call < 2; call += 1)
        expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
      expect(gateway.upstreams.first.requests).toHaveLength(1)
      expect(await gateway.line(isKeyWarning)).toMatchObject({ status, key: 'api_key' })
      const alone = await gateway.chat({ model: 'alone' })
      expect([alone.status, await alone.json()]).toEqual([status, error])
    },
  )
})

test('an error that never ends, or is no JSON, is judged by its status', async () => {
  const { promise: never } = Promise.withResolvers<void>()
  for (const script of [
    fail(401),
    ((_request, connection) => {
      connection.startChunked(401, { 'content-type': 'application/json' })
      connection.chunk('{"error":')
      return never
    }) satisfies Script,
    ((_request, connection) =>
      connection.respond(401, { 'content-type': 'text/html' }, '<h1>401</h1>')) satisfies Script,
  ]) {
    const { chat, stop } = await start({
      upstreams: { first: script, second: answerAs('second') },
      settings: { first: { api_key: KEY } },
      file: TARGETS,
    })
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
    await stop()
  }
})

test('the list of models is asked for with the next key of the pool, and the refused one rests', async () => {
  const models: Script = (request, connection) =>
    request.header('authorization') === 'Bearer sk-bad'
      ? connection.json(WRONG, 401)
      : connection.json({ object: 'list', data: [{ id: 'gpt-x' }] })
  const gateway = await start({
    upstreams: { first: models },
    settings: { first: { api_keys: ['sk-bad', 'sk-good'] } },
    file: { models: { 'gpt-*': { targets: [{ upstream: 'first' }] } } },
  })
  for (let call = 0; call < 3; call += 1) {
    expect(await (await fetch(`${gateway.url}/v1/models`)).json()).toMatchObject({ data: [{ id: 'gpt-x' }] })
  }
  expect(gateway.upstreams.first.requests).toHaveLength(4)
  expect(await gateway.line(isKeyWarning)).toMatchObject({ upstream: 'first', key: 'api_keys[0]', status: 401 })
})
