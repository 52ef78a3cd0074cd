import { describe, expect, test } from 'bun:test'
import { Secret } from '../../../src/config/secret.ts'
import type { UpstreamSettings } from '../../../src/config/sections/upstreams/upstream.ts'
import type { Exchange } from '../../../src/exchange/exchange.ts'
import type { Principal } from '../../../src/exchange/principal.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { type AddressDeps, addressDeployment, wantedFrom } from '../../../src/routing/deployment-address.ts'
import { createSnapshot } from '../../../src/routing/snapshot.ts'
import { pairsOf } from '../../helpers/secrets.ts'
import { depsOf, fakeClock, settingsOf, upstreamOf } from './targets/router-parts.ts'

const TOKEN = 'alices-token-0123456789'
const ALICE: Principal = { kind: 'token', id: 'alice', token: new Secret(TOKEN) }
const CALLER: Principal = { kind: 'caller', id: 'caller-1' }

interface Asked {
  readonly upstream?: Partial<UpstreamSettings>
  readonly principal?: Principal
  readonly headers?: Readonly<Record<string, string>>
  readonly target?: string
  readonly model?: string
  readonly isMarked?: boolean
  readonly mayBorrow?: boolean
}

/** Where a call of the only deployment goes. */
function addressOf({ upstream, principal = ALICE, headers = {}, target, model, isMarked, mayBorrow }: Asked = {}) {
  const snapshot = createSnapshot(settingsOf({ upstreams: [upstreamOf('a', upstream)] }), depsOf(fakeClock()))
  const [deployment] = snapshot.router.route(undefined).deployments
  if (deployment === undefined) throw new Error('There is one.')
  const exchange: Pick<Exchange, 'request' | 'isMarked' | 'principal'> = {
    principal,
    request: new Request('http://localhost/', { method: 'POST', headers }),
    isMarked: isMarked === true,
  }
  const deps: AddressDeps = {
    mayBorrow: () => mayBorrow === true,
    userAgent: 'NexCode/0',
    loops: { mark: (marked) => marked.set('x-loop', '1') },
  }
  const wanted = { target: target ?? '/v1/chat/completions', model }
  const address = addressDeployment(exchange as Exchange, deployment, wanted, snapshot, deps)
  return { ...address, sent: Object.fromEntries(address.headers) }
}

describe('the URL', () => {
  test('is the upstream’s base with the caller’s path and query', () => {
    const { url, target } = addressOf({ target: '/v1/models?limit=1' })
    expect([url.href, target]).toEqual(['https://a.example/v1/models?limit=1', '/v1/models?limit=1'])
  })

  test('has the upstream’s parameters, where the caller has not set them, and no token of ours', () => {
    const upstream = { query: pairsOf({ 'api-version': '2024', x: 'ours' }) }
    const { target } = addressOf({ upstream, target: `/v1/models?x=theirs&key=${TOKEN}` })
    expect(target).toBe('/v1/models?x=theirs&api-version=2024')
  })

  test('names the model where the upstream’s template does, percent-encoded', () => {
    const upstream = { baseUrl: 'https://a.example/openai', modelPath: '/deployments/{model}{path}' }
    expect(addressOf({ upstream, model: 'my model' }).target).toBe('/openai/deployments/my%20model/chat/completions')
    expect(addressOf({ upstream }).target).toBe('/openai/chat/completions')
  })

  test.each(['..', '../x', 'a/../../b', '..;v=1/x'])(
    'is refused for the model %s, which would lead elsewhere',
    (model) => {
      const upstream = { modelPath: '/deployments/{model}{path}' }
      expect(() => addressOf({ upstream, model })).toThrow(ApiError)
    },
  )
})

describe('the headers', () => {
  test('have the server’s key and what goes with each call, and what of the caller’s crosses a hop', () => {
    const headers = { authorization: `Bearer ${TOKEN}`, connection: 'x-hop', 'x-hop': '1', 'x-kept': '2' }
    const { sent, spentKey } = addressOf({ headers, upstream: { headers: pairsOf({ 'x-team': 'red' }) } })
    expect(sent).toMatchObject({ authorization: 'Bearer sk-a', 'x-team': 'red', 'x-kept': '2' })
    expect(sent).not.toHaveProperty('x-hop')
    expect(spentKey?.reveal()).toBe('sk-a')
  })

  test('refuse a caller with a key of its own where the upstream takes the server’s only, but for one that may borrow it', () => {
    const headers = { authorization: 'Bearer sk-mine' }
    expect(() => addressOf({ principal: CALLER, headers })).toThrow(ApiError)
    expect(addressOf({ principal: CALLER, headers, mayBorrow: true }).sent['authorization']).toBe('Bearer sk-a')
  })

  test('are marked against loops where the request is to be, and the upstream may lead back here', () => {
    expect(addressOf({ isMarked: true }).sent).toHaveProperty('x-loop')
    expect(addressOf().sent).not.toHaveProperty('x-loop')
    const openai = { baseUrl: 'https://api.openai.com/v1' }
    expect(addressOf({ isMarked: true, upstream: openai }).sent).not.toHaveProperty('x-loop')
  })
})

describe('the account', () => {
  const own = { principal: CALLER, headers: { authorization: 'Bearer sk-mine' }, upstream: { auth: 'either' } } as const

  test('is the caller’s with its own key, and nothing is masked then', () => {
    expect(addressOf(own)).toMatchObject({ account: 'caller', spentKey: undefined, mask: undefined })
  })

  test('is the server’s with its key, which is masked in what comes back', () => {
    const { account, mask } = addressOf()
    expect(account).toBe('server')
    expect(Buffer.from(mask?.bytes(new TextEncoder().encode('key sk-a')) ?? []).toString()).toBe('key ****')
  })

  test.each(['openai-organization', 'openai-project'])(
    'is the caller’s where it names its own %s, and the server’s where ours stands in its place',
    (name) => {
      expect(addressOf({ headers: { [name]: 'mine' } }).account).toBe('caller')
      const upstream = { headers: pairsOf({ [name]: 'ours' }) }
      expect(addressOf({ headers: { [name]: 'mine' }, upstream })).toMatchObject({
        account: 'server',
        sent: { [name]: 'ours' },
      })
    },
  )
})

describe('a target that names a model', () => {
  const named = { model: 'smart', withModel: (model: string) => `/v1/engines/${model}/embeddings` }
  const exchange = (name: typeof named | undefined) =>
    ({ requestTarget: '/v1/engines/smart/embeddings', named: name }) as Pick<
      Exchange,
      'requestTarget' | 'named'
    > as Exchange

  test('gives way to the upstream’s name, and stays as it is where that is the same or unknown', () => {
    expect(wantedFrom(exchange(named), 'gpt-4o').target).toBe('/v1/engines/gpt-4o/embeddings')
    for (const model of ['smart', undefined]) {
      expect(wantedFrom(exchange(named), model)).toEqual({ target: '/v1/engines/smart/embeddings', model })
    }
    expect(wantedFrom(exchange(undefined), 'gpt-4o').target).toBe('/v1/engines/smart/embeddings')
  })
})
