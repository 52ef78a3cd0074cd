import { describe, expect, test } from 'bun:test'
import { opened } from '../../helpers/secrets.ts'
import { load, loadGood, loadProblems, sentences } from './load-with-files.ts'

const TOKEN = '0123456789abcdef'

describe('authentication', () => {
  test('REQUIRE_AUTH=true with one token shorter than 16 characters is refused, wherever it stands', () => {
    const [problem] = loadProblems({ REQUIRE_AUTH: 'true', API_TOKEN: `${TOKEN},${TOKEN.slice(1)}` })
    expect(problem?.wrong).toBe('has a token (number 2 of 2) of fewer than 16 characters')
    expect(problem?.cure).toContain('openssl rand -hex 32')
    expect(loadProblems({ REQUIRE_AUTH: 'true', API_TOKEN: 'short' })).toHaveLength(1)
  })

  test('a token of 16 characters is enough', () => {
    expect(opened(loadGood({ REQUIRE_AUTH: 'true', API_TOKEN: TOKEN }).auth)).toEqual({
      required: true,
      tokens: [{ name: undefined, token: TOKEN }],
      lendsToLocal: true,
    })
  })

  test('a short token is no problem where none is asked for', () => {
    expect(loadGood({ REQUIRE_AUTH: 'false', API_TOKEN: 'short' }).auth.required).toBe(false)
  })

  test('a token that is wrong in itself is reported once, and not as missing too', () => {
    expect(sentences({ REQUIRE_AUTH: 'true', API_TOKEN: `bob ${TOKEN} x` })).toEqual([
      'API_TOKEN has whitespace inside',
    ])
    expect(loadProblems({ REQUIRE_AUTH: 'true', API_TOKEN_FILE: '/absent' })).toHaveLength(1)
  })

  test.each([
    ['Bearer sk-1', 'begins with "Bearer"'],
    ['sk-1 2', 'has whitespace inside'],
    ['sk-1\u0007', 'has characters that cannot travel in a header'],
    ['sk-1é', 'has characters that cannot travel in a header'],
    ['sk-1\u007f', 'has characters that cannot travel in a header'],
    ['"sk-1"', 'is wrapped in quotes'],
  ])('a key that cannot be sent is refused: %j', (key, wrong) => {
    expect(sentences({ OPENAI_API_KEY: key })).toEqual([`OPENAI_API_KEY ${wrong}`])
    expect(sentences({ API_TOKEN: `${TOKEN},bob:${key}` })).toEqual([`API_TOKEN ${wrong} (entry 2 of 2)`])
  })
})

describe('secret files', () => {
  test('a variable and its file are not set together', () => {
    expect(sentences({ API_TOKEN: TOKEN, API_TOKEN_FILE: '/tokens', REQUIRE_AUTH: 'true' })).toEqual([
      'API_TOKEN_FILE is set, and API_TOKEN too',
    ])
    expect(sentences({ OPENAI_API_KEY: 'sk-1', OPENAI_API_KEY_FILE: '/key' })).toEqual([
      'OPENAI_API_KEY_FILE is set, and OPENAI_API_KEY too',
    ])
  })

  test('an empty variable does not stand in the way of its file', () => {
    expect(loadGood({ OPENAI_API_KEY: '', OPENAI_API_KEY_FILE: '/key' }).upstream.apiKey?.reveal()).toBe('sk-from-file')
  })

  test.each([
    ['ENOENT', 'there is no such file or folder', 'mounted'],
    ['EACCES', 'this user may not', 'chmod'],
    ['EISDIR', 'it is a folder, not a file', 'folder'],
    ['EIO', 'the disk failed', 'can read'],
  ])('a file that fails with %s is one problem, with the cure', (code, words, cure) => {
    const fail = (): never => {
      throw Object.assign(new Error('no'), { code })
    }
    const problems = loadProblems({ OPENAI_API_KEY_FILE: '/run/secrets/key' }, { readFile: fail })
    expect(problems).toHaveLength(1)
    expect(problems[0]?.wrong).toBe(`names a file that cannot be read (/run/secrets/key): ${words} (${code})`)
    expect(problems[0]?.cure).toContain(cure)
  })

  test('a failure without a code is reported all the same', () => {
    const fail = (): never => {
      throw new Error('no')
    }
    expect(sentences({ API_TOKEN_FILE: './a' }, { readFile: fail })).toEqual([
      'API_TOKEN_FILE names a file that cannot be read (./a): unknown error',
    ])
  })

  test('an empty file is refused', () => {
    expect(sentences({ OPENAI_API_KEY_FILE: '/blank' })).toEqual(['OPENAI_API_KEY_FILE names an empty file (/blank)'])
  })

  test('what a file holds is checked like the variable, and the file is named', () => {
    expect(sentences({ OPENAI_API_KEY_FILE: '/tokens' })).toEqual(['OPENAI_API_KEY_FILE has whitespace inside'])
    expect(sentences({ REQUIRE_AUTH: 'true', API_TOKEN_FILE: '/key' })).toEqual([
      'API_TOKEN_FILE has a token of fewer than 16 characters',
    ])
  })
})

describe('the base URL', () => {
  test.each([
    ['ftp://example.com/v1', 'is not an http or https URL'],
    ['api.openai.com/v1', 'is not an http or https URL'],
    ['http:///v1', 'is not an http or https URL'],
    ['https:example.com', 'is not an http or https URL'],
    ['https://exa mple.com/v1', 'is not an http or https URL'],
    ['https://example.com\\v1', 'is not an http or https URL'],
    ['https://user:pass@example.com/v1', 'has a user name or password in it'],
    ['https://@example.com/v1', 'has a user name or password in it'],
    ['https://example.com/v1?api-version=1', 'has a query in it'],
    ['https://example.com/v1?', 'has a query in it'],
    ['https://example.com/v1#', 'has a fragment in it'],
    ['https://api.openai.com', 'is on api.openai.com without the path /v1'],
    ['https://api.openai.com/', 'is on api.openai.com without the path /v1'],
    ['https://API.openai.com/v1/chat/completions', 'is on api.openai.com without the path /v1'],
  ])('%s is refused', (url, wrong) => {
    expect(sentences({ OPENAI_API_BASE: url })).toEqual([`OPENAI_API_BASE ${wrong}`])
    expect(sentences({ OPENAI_BASE_URL: url })).toEqual([`OPENAI_BASE_URL ${wrong}`])
  })

  test.each([
    ['https://api.openai.com/v1/', 'https://api.openai.com/v1'],
    ['HTTP://LocalHost:80/', 'http://localhost'],
    ['http://[::1]:8080/a/v1', 'http://[::1]:8080/a/v1'],
    ['https://example.com/a@b', 'https://example.com/a@b'],
  ])('%s becomes %s', (url, base) => {
    expect(loadGood({ OPENAI_API_BASE: url }).upstream.baseUrl).toBe(base)
  })

  test('OPENAI_API_BASE wins over OPENAI_BASE_URL, which is then not even checked', () => {
    const env = { OPENAI_API_BASE: 'http://a.example/v1', OPENAI_BASE_URL: 'nonsense' }
    expect(loadGood(env).upstream.baseUrl).toBe('http://a.example/v1')
    expect(loadGood({ OPENAI_API_BASE: '', OPENAI_BASE_URL: 'http://b.example' }).upstream.baseUrl).toBe(
      'http://b.example',
    )
  })
})

describe('the address', () => {
  test.each([
    ['localhost', 'localhost', true],
    ['LOCALHOST', 'localhost', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.255.1.2', '127.255.1.2', true],
    ['127.1', '127.0.0.1', true],
    ['::1', '::1', true],
    ['[::1]', '::1', true],
    ['0:0:0:0:0:0:0:1', '::1', true],
    ['0.0.0.0', '0.0.0.0', false],
    ['::', '::', false],
    ['::ffff:127.0.0.1', '::ffff:7f00:1', false],
    ['128.0.0.1', '128.0.0.1', false],
    ['127.example.com', '127.example.com', false],
    ['localhost.example.com', 'localhost.example.com', false],
    ['my_host', 'my_host', false],
  ])('HOST=%s listens on %s, loopback: %p', (text, host, isLoopback) => {
    expect(loadGood({ HOST: text }).server).toMatchObject({ host, isLoopback })
  })

  test.each([
    'http://localhost',
    'localhost:8000',
    'a b',
    'user@host',
    '127.0.0.999',
    '127.0.0.1.5.6',
    ':::1',
    '[localhost]',
  ])('HOST=%s is refused', (text) => {
    expect(loadProblems({ HOST: text }).map(({ name }) => name)).toEqual(['HOST'])
  })

  test.each(['-1', '65536', '80a', '8000.0', '0x50', '1e3', 'tcp://10.0.0.1:80'])('PORT=%s is refused', (text) => {
    expect(loadProblems({ PORT: text }).map(({ name }) => name)).toEqual(['PORT'])
  })

  test.each([
    'https://a.example/',
    'https://a.example/path',
    'a.example',
    'https://*.example.com',
    'https://user@a.example',
    'https://a.example?x',
    'null',
    'https://a.example:99999',
  ])('CORS_ORIGINS=%s is refused', (text) => {
    expect(loadProblems({ CORS_ORIGINS: `http://b.example,${text}` })[0]?.wrong).toEndWith(
      'is not an origin (entry 2 of 2)',
    )
  })

  test('origins are kept as a browser writes them', () => {
    const text = 'HTTPS://A.example:443,http://localhost:3000,Tauri://localhost,chrome-extension://abc'
    expect(loadGood({ CORS_ORIGINS: text }).server.corsOrigins).toEqual([
      'https://a.example',
      'http://localhost:3000',
      'tauri://localhost',
      'chrome-extension://abc',
    ])
  })
})

describe('TLS', () => {
  test('the texts of both files are there', () => {
    const { tls } = loadGood({ TLS_CERT_FILE: '/tls.crt', TLS_KEY_FILE: '/tls.key' }).server
    expect(tls?.cert).toStartWith('-----BEGIN CERTIFICATE-----')
    expect(tls?.key.reveal()).toStartWith('-----BEGIN PRIVATE KEY-----')
  })

  test('one file without the other is refused, whichever it is', () => {
    expect(sentences({ TLS_CERT_FILE: '/tls.crt' })).toEqual(['TLS_KEY_FILE is not set, but TLS_CERT_FILE is'])
    expect(sentences({ TLS_KEY_FILE: '/tls.key' })).toEqual(['TLS_CERT_FILE is not set, but TLS_KEY_FILE is'])
  })

  test('swapped files are refused', () => {
    expect(sentences({ TLS_CERT_FILE: '/tls.key', TLS_KEY_FILE: '/tls.crt' })).toEqual([
      'TLS_CERT_FILE names a file without a PEM certificate',
      'TLS_KEY_FILE names a file without a PEM private key',
    ])
  })

  test('a key with a passphrase is refused, with the command that takes it off', () => {
    const [problem] = loadProblems({ TLS_CERT_FILE: '/tls.crt', TLS_KEY_FILE: '/locked.key' })
    expect(problem?.wrong).toBe('names a private key with a passphrase')
    expect(problem?.cure).toContain('openssl pkey')
  })
})

test('sizes and times are read in every documented unit, in any case', () => {
  const sizes = { '7': 7, '7B': 7, '2k': 2048, '2KiB': 2048, '2kb': 2000, '3M': 3 * 2 ** 20, '3mib': 3 * 2 ** 20 }
  const more = { '3MB': 3_000_000, '1g': 2 ** 30, '1 GiB': 2 ** 30, '1gb': 1_000_000_000 }
  for (const [text, bytes] of Object.entries({ ...sizes, ...more })) {
    expect(loadGood({ MAX_JSON_BYTES: text }).limits.jsonBytesMax).toBe(bytes)
  }
  for (const [text, ms] of Object.entries({ '7': 7, '7MS': 7, '2s': 2000, '2M': 120_000, '1h': 3_600_000 })) {
    expect(loadGood({ SSE_PING_MS: text }).ssePingMs).toBe(ms)
  }
})

test('WORKERS is a number of processes, or one for each core', () => {
  const workersOf = (text: string, cores = 4): number => loadGood({ WORKERS: text }, { cores: () => cores }).workers
  expect(['1', '64', 'auto', 'AUTO'].map((text) => workersOf(text))).toEqual([1, 64, 4, 4])
  expect(workersOf('auto', 128)).toBe(64)
  expect(sentences({ WORKERS: '0' })).toEqual(['WORKERS "0" is out of range'])
  expect(sentences({ WORKERS: '65' })).toEqual(['WORKERS "65" is out of range'])
  expect(sentences({ WORKERS: 'cores' })).toEqual(['WORKERS "cores" is neither a whole number nor auto'])
  // Nobody counts what nobody asked for.
  const never = (): never => {
    throw new Error('counted')
  }
  expect(loadGood({}, { cores: never }).workers).toBe(1)
})

test('every word for yes and no is understood', () => {
  for (const word of ['true', '1', 'yes', 'ON']) expect(loadGood({ DEBUG_HEADERS: word }).debugHeaders).toBe(true)
  for (const word of ['false', '0', 'no', 'OFF']) expect(loadGood({ DEBUG_HEADERS: word }).debugHeaders).toBe(false)
  expect(load({ DEBUG_HEADERS: 'y' }).ok).toBe(false)
})
