import { expect, test } from 'bun:test'
import { obeyProxy, proxyOf } from '../../../../src/upstream/exact/proxy-of.ts'
import type { UpstreamFetch, UpstreamInit } from '../../../../src/upstream/send.ts'

const HTTP = new URL('http://a.test/v1')

test('an upstream’s own proxy, or that it has none, goes before the environment', () => {
  const proxyFor = ({ host }: URL) => (host === 'a.test' ? undefined : new URL('http://p.test'))
  expect(proxyOf({ proxy: 'http://own.test' }, HTTP, proxyFor)?.href).toBe('http://own.test/')
  expect(proxyOf({ proxy: false }, new URL('http://b.test'), proxyFor)).toBeUndefined()
  expect(proxyOf(undefined, new URL('http://b.test'), proxyFor)?.href).toBe('http://p.test/')
})

test('while a call is handed to the runtime with a proxy, the environment has no exceptions; behind it, it has', async () => {
  const env: Record<string, string | undefined> = { NO_PROXY: 'a.test', no_proxy: 'b.test' }
  const seen: unknown[] = []
  const fetch: UpstreamFetch = async () => {
    seen.push({ ...env })
    return new Response()
  }
  const obedient = obeyProxy(fetch, env)
  const init = { proxy: 'http://p.test' } as unknown as UpstreamInit
  await obedient(HTTP, init)
  await obedient(HTTP, { ...init, proxy: false })
  expect(seen).toEqual([{}, { NO_PROXY: 'a.test', no_proxy: 'b.test' }])
  expect(env).toEqual({ NO_PROXY: 'a.test', no_proxy: 'b.test' })
  expect(obeyProxy(fetch, { HTTP_PROXY: 'http://p.test' })).toBe(fetch)
})
