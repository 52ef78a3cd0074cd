import { describe, expect, test } from 'bun:test'
import type { Config } from '../../../src/config/config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { describeServer, renderBanner } from '../../../src/process/banner.ts'
import { serverUrl } from '../../../src/process/server-url.ts'
import { loadGood } from '../config/load-file.ts'

const KEY = 'sk-the-servers-own-key-0123456789'
const TOKEN = 'a-token-of-more-than-16-characters'

function configOf(env: Readonly<Record<string, string>>): Config {
  const loaded = loadConfig(env, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

describe('the banner says which of these holds and how to change it', () => {
  const guarded = { REQUIRE_AUTH: 'true', API_TOKEN: `${TOKEN},${TOKEN}-2` }
  test.each([
    [
      'tokens, and a key',
      { ...guarded, OPENAI_API_KEY: KEY },
      /^on: .*2 API token.*OPENAI_API_KEY is spent.*REQUIRE_AUTH=false/,
    ],
    ['tokens, and no key', guarded, /^on: .*no key goes upstream \(OPENAI_API_KEY is not set\).*REQUIRE_AUTH=false/],
    [
      'open to all, and a key',
      { HOST: '0.0.0.0', OPENAI_API_KEY: KEY },
      /^off: .*401; .*OPENAI_API_KEY is not lent.*REQUIRE_AUTH=true/,
    ],
    ['open to all, and no key', { HOST: '0.0.0.0' }, /^off: .*gets a 401\. REQUIRE_AUTH=true/],
    [
      'this machine, and a key',
      { HOST: '127.0.0.1', OPENAI_API_KEY: KEY },
      /^off: .*spends the server's OPENAI_API_KEY.*REQUIRE_AUTH=true/,
    ],
    [
      'this machine, a key, and no local callers',
      { HOST: '127.0.0.1', OPENAI_API_KEY: KEY, LOCAL_CALLERS: 'off' },
      /^off: .*gets a 401: LOCAL_CALLERS is off.*REQUIRE_AUTH=true/,
    ],
    ['this machine, and no key', { HOST: '::1' }, /^off: .*without a key\. OPENAI_API_KEY lends/],
  ] as const)('%s', (_case, env, words) => {
    const server = describeServer(configOf(env), 'http://localhost:8000', '1.2.3')
    expect(server.access).toMatch(words)
    const banner = renderBanner(server)
    for (const value of Object.values(server)) expect(banner).toContain(value.replace(/\/docs$|\/v1$/, ''))
    expect(banner).not.toContain(KEY)
    expect(banner).not.toContain(TOKEN)
  })
})

describe('with a file the banner says whose keys its upstreams spend, and how much it says', () => {
  const withKey = { up: { base_url: 'http://up.example/v1', api_key: KEY } }
  const without = { up: { base_url: 'http://up.example/v1' }, other: { base_url: 'http://other.example/v1' } }
  const guarded = { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN }
  test.each([
    [
      'tokens, and a key',
      guarded,
      withKey,
      /^on: callers need one of 1 API token\(s\); the server's keys are spent\.$/,
    ],
    ['tokens, and no key', guarded, without, /^on: callers need one of 1 API token\(s\)\.$/],
    ['open to all, and a key', { HOST: '0.0.0.0' }, withKey, /^off: nobody may spend .* \(401\)\. REQUIRE_AUTH=true/],
    [
      'this machine, and a key',
      { HOST: '127.0.0.1' },
      withKey,
      /^off: programs on this machine spend .* proxy or tunnel .*LOCAL_CALLERS=off.*REQUIRE_AUTH=true/,
    ],
    [
      'this machine, a key, and no local callers',
      { HOST: '127.0.0.1', LOCAL_CALLERS: 'off' },
      withKey,
      /^off: nobody may spend .*LOCAL_CALLERS is off/,
    ],
    ['no key', {}, without, /^off: nobody needs a token, and no key of this server is spent\.$/],
  ])('%s', (_case, env, upstreams, words) => {
    const config = { ...configOf(env), settings: loadGood(JSON.stringify({ upstreams })) }
    const server = describeServer(config, 'http://localhost:8000', '1.2.3', 'nexcode.yaml')
    expect(server.access).toMatch(words)
    const count = Object.keys(upstreams).length
    expect(server.config).toStartWith(`nexcode.yaml: ${count} upstream${count === 1 ? '' : 's'}, 0 models, 0 rules`)
    const banner = renderBanner(server)
    for (const [name, { base_url }] of Object.entries(upstreams)) {
      expect(banner).toContain(count === 1 ? base_url : `${name} (${base_url})`)
    }
    expect(banner).not.toContain(KEY)
  })
})

test('the banner tells how many processes serve, where there are several', () => {
  const server = describeServer(configOf({}), 'http://localhost:8000', '1.2.3')
  expect(renderBanner(server, 4)).toContain('\n  workers    4\n\n  Stop')
  expect(renderBanner(server)).not.toContain('workers')
})

test.each([
  ['0.0.0.0', 'http://localhost:80'],
  ['::', 'http://localhost:80'],
  ['::1', 'http://[::1]:80'],
  ['[::1]', 'http://[::1]:80'],
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['gateway.internal', 'http://gateway.internal:80'],
])('the URL of HOST=%s can be called: %s', (host, url) => {
  expect(serverUrl(configOf({ HOST: host }).server, 80)).toBe(url)
})
