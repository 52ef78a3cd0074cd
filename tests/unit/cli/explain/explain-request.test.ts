import { describe, expect, test } from 'bun:test'
import { explainRequest } from '../../../../src/cli/explain/explain-request.ts'
import { renderExplanation } from '../../../../src/cli/explain/render-explanation.ts'
import type { RequestToExplain } from '../../../../src/cli/explain/request-file.ts'
import type { Config } from '../../../../src/config/config.ts'
import { loadConfig } from '../../../../src/config/load.ts'
import { Secret } from '../../../../src/config/secret.ts'
import type { Principal } from '../../../../src/exchange/principal.ts'
import { loadGood } from '../../config/load-file.ts'

const TOKEN: Principal = { kind: 'token', id: 'token-1', token: new Secret('the-secret-of-the-token') }

function configOf(file?: object, env: Readonly<Record<string, string>> = {}): Config {
  const loaded = loadConfig(env, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return file === undefined ? loaded.config : { ...loaded.config, settings: loadGood(JSON.stringify(file)) }
}

const CHAT = { model: 'smart', messages: [{ role: 'user', content: 'hi' }] }

function ask(fields: Partial<RequestToExplain> & { readonly json?: object } = {}): RequestToExplain {
  const { json = CHAT, ...others } = fields
  const base = { method: 'POST', path: '/v1/chat/completions', headers: {}, principal: 'token-1' }
  return { ...base, body: JSON.stringify(json), ...others }
}

const explainFor = (asked: RequestToExplain, config: Config, principal: Principal = TOKEN) =>
  explainRequest(asked, principal, config)

const UPSTREAMS = {
  one: { base_url: 'http://one.example/v1', api_key: 'sk-1' },
  two: { base_url: 'http://two.example/v1' },
}
const withStrategy = (strategy: string, targets: readonly object[] = [{ upstream: 'one' }, { upstream: 'two' }]) =>
  configOf({ upstreams: UPSTREAMS, models: { smart: { targets, strategy } } })

describe('how the first of several targets is chosen is said', () => {
  test.each([
    ['order', 'in this order'],
    ['round_robin', 'each first in turn, then the others'],
    ['least_busy', 'the least busy first, then the others'],
    ['affinity', 'in this order for this conversation (affinity)'],
  ])('%s: %s', async (strategy, choice) => {
    const { route } = await explainFor(ask(), withStrategy(strategy))
    expect(route).toMatchObject({ decidedBy: 'models.smart', choice })
  })

  test('weights are told', async () => {
    const targets = [{ upstream: 'one', weight: 3 }, { upstream: 'two' }]
    const { route } = await explainFor(ask(), withStrategy('weighted', targets))
    expect(route?.choice).toBe('one by weight (3 : 1), then the others')
  })

  test('a conversation has the same order each time, and others another one', async () => {
    const orders = new Map<string, Set<string>>()
    for (const user of ['a', 'b', 'c', 'd', 'e', 'f', 'a', 'b', 'c', 'd', 'e', 'f']) {
      const { route } = await explainFor(ask({ json: { ...CHAT, user } }), withStrategy('affinity'))
      const order = route?.targets.map(({ target }) => target).join() ?? ''
      orders.set(user, (orders.get(user) ?? new Set()).add(order))
    }
    expect([...orders.values()].map(({ size }) => size)).toEqual(Array(6).fill(1))
    expect(new Set([...orders.values()].flatMap((order) => [...order])).size).toBe(2)
  })

  test('without anything to tell a conversation by, that is said', async () => {
    const { route } = await explainFor(
      ask({ path: '/v1/embeddings', json: { model: 'smart' } }),
      withStrategy('affinity'),
    )
    expect(route?.choice).toBe('any first: nothing to tell a conversation by (affinity)')
  })
})

describe('whose key is spent', () => {
  const caller: Principal = { kind: 'caller', id: 'caller-1' }
  test.each([
    ['either', TOKEN, "the server's own, in authorization"],
    ['either', caller, "the caller's own"],
    ['caller', caller, "the caller's own"],
    ['caller', TOKEN, 'none'],
    ['none', caller, 'none'],
  ] as const)('auth %s, as %p: %s', async (auth, principal, key) => {
    const config =
      auth === 'either'
        ? configOf(undefined, { OPENAI_API_KEY: 'sk-of-the-server' })
        : configOf({ upstreams: { up: { base_url: 'http://up.example/v1', auth } } })
    const { route } = await explainFor(ask(), config, principal)
    expect(route?.targets.map((one) => one.key)).toEqual([key])
  })
})

describe('rules', () => {
  test('see the default model that is put in, as they do when a request is served', async () => {
    const config = configOf({ params: [{ require: ['model'], match: { model: 'smart' } }] }, { OPENAI_MODEL: 'smart' })
    const { messages } = CHAT
    const { rules, route, request } = await explainFor(ask({ json: { messages } }), config)
    expect(rules).toMatchObject([{ outcome: 'applies', did: [] }])
    expect(request.model).toBe('smart')
    expect(route?.targets[0]?.body).toBe(JSON.stringify({ model: 'smart', messages }))
  })

  test('have nothing to do where there is no body', async () => {
    const config = configOf({ params: [{ drop: ['user'] }] })
    const explained = await explainFor(ask({ method: 'GET', path: '/v1/files', body: undefined }), config)
    expect(explained.rules).toMatchObject([{ outcome: 'unreached' }])
    expect(renderExplanation({ config: 'c', ...explained })).toContain('fits, but there is no body to apply it to')
  })

  test('that cannot be applied to a body of another kind refuse it', async () => {
    const config = configOf({ params: [{ drop: ['user'] }] })
    const asked = ask({ path: '/v1/x', headers: { 'Content-Type': 'application/octet-stream' }, body: 'bytes' })
    const { refusal, rules } = await explainFor(asked, config)
    expect(refusal).toMatchObject({ status: 400, error: { code: 'rules_not_applicable' } })
    expect(rules).toMatchObject([{ outcome: 'unreached' }])
  })

  test('that refuse are told from those that would not: by what the request is refused for', async () => {
    const params = [
      { deny: ['seed'] },
      { deny: ['user'] },
      { match: { model: 'other' }, deny: ['seed'] },
      { drop: ['n'] },
    ]
    const { rules } = await explainFor(ask({ json: { ...CHAT, seed: 1, n: 2 } }), configOf({ params }))
    expect(rules.map(({ outcome }) => outcome)).toEqual(['refuses', 'unreached', 'does not match', 'unreached'])
  })
})

describe('where it goes', () => {
  test('a pin decides for the resource that it names', async () => {
    const config = configOf({ upstreams: UPSTREAMS, pins: { files: 'two' } })
    const { route } = await explainFor(ask({ method: 'GET', path: '/v1/files', body: undefined }), config)
    expect(route).toMatchObject({ decidedBy: 'pins.files', targets: [{ target: 'two', body: undefined }] })
  })

  test('a name that no entry fits is refused where the file says so, and goes to the default upstream else', async () => {
    const models = { other: { targets: [{ upstream: 'two' }] } }
    const open = await explainFor(ask(), configOf({ upstreams: UPSTREAMS, models }))
    expect(open.route?.decidedBy).toBe('the default upstream, since no entry of models fits')
    const closed = await explainFor(ask(), configOf({ upstreams: UPSTREAMS, models, unknown_models: 'refuse' }))
    expect(closed).toMatchObject({ route: undefined, refusal: { status: 404, error: { code: 'model_not_found' } } })
  })

  test('a body that is not looked into goes to each key of a pool as it came', async () => {
    const pool = { base_url: 'http://pool.example/v1', api_keys: ['sk-1', 'sk-2'] }
    const body = '{ "input": 1e400 }'
    const explained = await explainFor(ask({ path: '/v1/responses', body }), configOf({ upstreams: { pool } }))
    expect(explained.route?.targets.map((one) => [one.body, one.isChanged])).toEqual(Array(2).fill([body, false]))
    expect(renderExplanation({ config: 'c', ...explained }).match(/as received, byte for byte/g)).toHaveLength(2)
  })

  test('a target that no client may ask for is refused', async () => {
    const { refusal } = await explainFor(ask({ method: 'GET', path: '/v1/../x', body: undefined }), configOf())
    expect(refusal).toMatchObject({ status: 400 })
  })
})
