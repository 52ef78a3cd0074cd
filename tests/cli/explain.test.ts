import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { programEnv, runProgram } from '../helpers/run-program.ts'

setDefaultTimeout(60_000)

const FILE = `
upstreams:
  openai: { preset: openai, api_keys: ["sk-canary-one", "sk-canary-two"] }
  azure:
    preset: azure
    base_url: "https://my.openai.azure.com/openai"
    api_key: "canary-of-azure"
    query: { api-version: "2024-10-21", sig: "canary-in-a-query" }
models:
  smart:
    targets:
      - { upstream: openai, model: gpt-4o }
      - { upstream: azure, model: my-deployment }
  "gpt-*": { targets: [{ upstream: azure }] }
params:
  - match: { model: smart }
    defaults: { temperature: 0.7 }
    clamp: { max_tokens: { max: 1500 } }
    deny: [logit_bias]
  - match: { model: "gpt-*" }
    drop: [user]
retry: { on: [connect, 429, 5xx] }
`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-explain-'))
  writeFileSync(join(folder, 'nexcode.yaml'), FILE)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs it on a request that is a file. */
function explain(request: string | object, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const text = typeof request === 'string' ? request : JSON.stringify(request)
  writeFileSync(join(folder, 'request.json'), text)
  return runProgram(['explain', 'request.json', ...args], env, { cwd: folder })
}

const MESSAGES = [{ role: 'user', content: 'hi' }]
const SMART =
  '{"model":"smart", "max_tokens": 5000, "seed":12345678901234567890, "messages":[{"role":"user","content":"hi"}]}'

test('a body alone: rule by rule what applies, the targets in order with their URLs and whose key, and the changes', async () => {
  const { code, stdout, stderr } = await explain(SMART)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toBe(`config   nexcode.yaml
request  POST /v1/chat/completions, model "smart", as token

rules
  1  ✓ applies
       defaults  temperature  set to 0.7
       clamp     max_tokens   5000 → 1500
  2  – does not apply: model smart does not fit gpt-*

route    models.smart: in this order; up to 3 attempts, another one after connect, 429, 500-599
  1  openai/gpt-4o
     POST https://api.openai.com/v1/chat/completions
     key   the server's own, 1 of 2, in authorization
     body  temperature  0.7 (put in)
           model        "smart" → "gpt-4o"
           max_tokens   5000 → 1500
           all else as received, byte for byte
  2  openai/gpt-4o#2
     POST https://api.openai.com/v1/chat/completions
     key   the server's own, 2 of 2, in authorization
     body  as for 1
  3  azure/my-deployment
     POST https://my.openai.azure.com/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21&sig=…
     key   the server's own, in api-key
     body  temperature  0.7 (put in)
           model        "smart" → "my-deployment"
           max_tokens   5000 → 1500
           all else as received, byte for byte

note     That is for the holder of a token, and none is set up here (REQUIRE_AUTH). For others, write "principal": "caller" or "local" beside the body.
`)
})

test('a model in the path is the model: its rules, its targets, and a note of which call it is', async () => {
  const { code, stdout } = await explain({
    path: '/v1/deployments/smart/chat/completions?x=1',
    body: { max_tokens: 5000, messages: MESSAGES },
  })
  expect(code).toBe(0)
  expect(stdout).toContain('model "smart"')
  expect(stdout).toContain('clamp     max_tokens   5000 → 1500')
  expect(stdout).toContain('/openai/deployments/my-deployment/chat/completions?x=1&api-version=')
  expect(stdout).toContain('The URL names the model "smart": this is the call /v1/chat/completions?x=1 of it.')
})

test('--json says the same to a program, with the bytes that each target would get', async () => {
  const { code, stdout } = await explain(SMART, ['--json'])
  expect(code).toBe(0)
  const explained = JSON.parse(stdout) as { route: { targets: { body: string }[] } }
  expect(explained).toMatchObject({
    config: 'nexcode.yaml',
    request: { method: 'POST', path: '/v1/chat/completions', model: 'smart', principal: 'token', body: SMART },
    rules: [
      { rule: 1, outcome: 'applies', did: [{ operation: 'defaults', param: 'temperature' }, { operation: 'clamp' }] },
      { rule: 2, outcome: 'does not match', mismatch: 'model smart does not fit gpt-*', did: [] },
    ],
    route: { decidedBy: 'models.smart', attempts: 3, targets: [{ target: 'openai/gpt-4o' }, {}, {}] },
  })
  expect(explained.route.targets[0]?.body).toBe(
    '{"temperature":0.7,"model":"gpt-4o", "max_tokens": 1500, "seed":12345678901234567890, "messages":[{"role":"user","content":"hi"}]}',
  )
  expect(stdout).not.toContain('canary')
})

test('what the server of a preset refuses is seen to be left out, for its target only', async () => {
  const targets = [{ upstream: 'mac' }, { upstream: 'plain' }]
  const file = {
    upstreams: { mac: { preset: 'mlx_lm' }, plain: { base_url: 'http://127.0.0.1:9/v1' } },
    models: { tiny: { targets } },
  }
  writeFileSync(join(folder, 'mac.json'), JSON.stringify(file))
  const { stdout } = await explain({ body: { model: 'tiny', top_p: null, messages: MESSAGES } }, [
    '--json',
    '--config',
    'mac.json',
  ])
  const { route } = JSON.parse(stdout) as { route: { targets: { body: string; isChanged: boolean }[] } }
  expect(route.targets.map(({ body, isChanged }) => [body.includes('top_p'), isChanged])).toEqual([
    [false, true],
    [true, false],
  ])
})

test('a slow reader gets all of it, however long it is', async () => {
  const content = 'x'.repeat(300_000)
  writeFileSync(join(folder, 'long.json'), JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }))
  const command = [
    'sh',
    '-c',
    '"$@" | { sleep 0.3; cat; }',
    'sh',
    ...gatewayCommand(),
    'explain',
    'long.json',
    '--json',
  ]
  const child = Bun.spawn(command, { cwd: folder, env: programEnv({}), stdout: 'pipe' })
  const explained = JSON.parse(await new Response(child.stdout).text()) as { request: { body: string } }
  expect(explained.request.body.includes(content)).toBe(true)
})

describe('a refusal ends with exit code 1, and names', () => {
  test('the rule that refuses, and the parameter', async () => {
    const { code, stdout } = await explain({ model: 'smart', logit_bias: {}, messages: MESSAGES })
    expect(code).toBe(1)
    expect(stdout).toContain('  1  ✗ refuses logit_bias\n  2  – does not apply: ')
    expect(stdout).toEndWith(
      "✗ refused with 400 parameter_not_allowed: Parameter 'logit_bias' is not allowed by this server.\n  Nothing is sent.\n",
    )
  })

  test('what is wrong with the request itself, before any rule', async () => {
    const { code, stdout } = await explain({ model: 5, messages: MESSAGES })
    expect(code).toBe(1)
    expect(stdout).toContain(
      "400 invalid_type: Invalid type for 'model': expected a string, but got an integer instead.",
    )
  })

  test('what OpenAI would refuse for certain, once it is known that the request would go there', async () => {
    const { code, stdout } = await explain({ model: 'smart' })
    expect(code).toBe(1)
    expect(stdout).toContain("400 missing_required_parameter: Missing required parameter: 'messages'.")
  })

  test('a caller without a token, who may not spend a key of the server', async () => {
    const asked = { principal: 'caller', body: { model: 'smart', messages: MESSAGES } }
    const { code, stdout } = await explain(asked)
    expect(code).toBe(1)
    expect(stdout).toContain('model "smart", as caller\n')
    expect(stdout).toContain('✗ refused with 401 invalid_api_key: ')
    expect((await explain(asked, [], { HOST: '127.0.0.1' })).code).toBe(0)
  })
})

describe('more than a body', () => {
  test('an object with path, method, headers, principal and body; --path goes before its path', async () => {
    const asked = {
      path: '/v1/embeddings?x=1',
      method: 'post',
      headers: { 'X-Team': 'red' },
      principal: 'token',
      body: { model: 'gpt-emb', input: 'hi', user: 'u' },
    }
    const first = await explain(asked)
    expect(first.stdout).toContain('request  POST /v1/embeddings?x=1, model "gpt-emb", as token\n')
    expect(first.stdout).toContain("  2  ✓ applies\n       drop  user  removed: was 'u'\n")
    expect(first.stdout).toContain('/openai/deployments/gpt-emb/embeddings?x=1&api-version=')
    expect(first.stdout).toContain('body  user  taken out (was "u")\n')
    const second = await explain(asked, ['--path', '/v1/responses'])
    expect(second.stdout).toContain('POST https://my.openai.azure.com/openai/responses?')
  })

  test('- is standard input, and a line of a batch file can be asked about as it is', async () => {
    const line = {
      custom_id: 'r-1',
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'o9', messages: MESSAGES },
    }
    const child = Bun.spawn([...gatewayCommand(), 'explain', '-'], {
      cwd: folder,
      env: programEnv({}),
      stdin: new TextEncoder().encode(JSON.stringify(line)),
      stdout: 'pipe',
    })
    const stdout = await new Response(child.stdout).text()
    expect(await child.exited).toBe(0)
    expect(stdout).toContain('model "o9", as token\n')
    expect(stdout).toContain(
      'route    the default upstream, since no entry of models fits: its keys take turns; up to 3',
    )
    expect(stdout).toContain('     body  as received, byte for byte\n')
  })

  test('what this server answers itself, and what goes to whoever holds an object', async () => {
    const models = await explain({ path: '/v1/models' })
    expect([models.code, models.stdout]).toEqual([0, expect.stringContaining('by this server itself: the list of')])
    const one = await explain({ path: '/v1/models/smart' })
    expect(one.stdout).toContain('by this server itself: the model "smart"')
    const file = await explain({ path: '/v1/files/file-abc123', method: 'DELETE' })
    expect(file.stdout).toContain('DELETE https://api.openai.com/v1/files/file-abc123\n')
    expect(file.stdout).toContain('A server that has given out file-abc123 sends this to the upstream that it is from.')
  })
})

describe('who asks', () => {
  const env = { REQUIRE_AUTH: 'true', API_TOKEN: 'alice:alices-token-0000001,bob:bobs-token-000000002' }
  const ask = async (principal: string | undefined) => {
    const path = join(folder, 'who.json')
    writeFileSync(
      path,
      JSON.stringify({ ...(principal !== undefined && { principal }), body: { model: 'm', max_tokens: 900 } }),
    )
    const file = join(folder, 'who.yaml')
    writeFileSync(file, 'params: [{ match: { principal: bob }, clamp: { max_tokens: { max: 10 } } }]')
    return runProgram(['explain', path, '--path', '/v1/responses', '--config', file], env)
  }

  test("is a token's holder by name: the rules for it apply, and those for others don't", async () => {
    const bob = await ask('bob')
    expect(bob.stdout).toContain('as bob\n')
    expect(bob.stdout).toContain('1  ✓ applies')
    const alice = await ask('alice')
    expect(alice.stdout).toContain('principal alice does not fit bob')
  })

  test('is the first where nobody is named, and a note says so', async () => {
    const { stdout } = await ask(undefined)
    expect(stdout).toContain('as alice\n')
    expect(stdout).toContain('Several tokens are set up, and this is for the first.')
  })

  test('is nobody else: the nearest name is what was meant', async () => {
    const { code, stderr } = await ask('bobb')
    expect([code, stderr]).toEqual([2, expect.stringContaining('Nobody goes by that name here. Did you mean "bob"?')])
  })
})

describe('what cannot be explained ends with exit code 2, and says what to do', () => {
  test.each([
    [
      'model=smart',
      'request.json is no JSON. Write the JSON body of a request into it; forms (multipart) are not explained.',
    ],
    [
      { headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: '--x' },
      'is a form (multipart), and these are not explained',
    ],
    [{ body: {}, modell: 1 }, 'has "modell" beside a body.'],
    [{ path: 'v1/chat' }, 'goes to the path "v1/chat", which does not begin with a slash.'],
    [{ path: '/docs' }, 'goes to the path "/docs", which is none of OpenAI\'s API.'],
    [{ method: 'TRACE' }, 'names the method "TRACE".'],
    [{ method: 'GET', body: {} }, 'has a body, and the method GET'],
    [{ principal: 'bob', body: {} }, 'names the principal "bob".'],
    [{ headers: { 'a b': 'c' }, body: {} }, 'has a header that cannot be sent'],
    [{ headers: 'none', body: {} }, 'has headers that are no object'],
    [{ path: 7, body: {} }, 'has a path that is no text.'],
  ] as [string | object, string][])('%j', async (request, words) => {
    const { code, stdout, stderr } = await explain(request)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toStartWith('request.json ')
    expect(stderr).toContain(words)
  })

  test('no file, or none that there is', async () => {
    expect((await runProgram(['explain'])).stderr).toContain('wants the file of a request, or - for standard input')
    const { code, stderr } = await runProgram(['explain', 'absent.json'], {}, { cwd: folder })
    expect([code, stderr]).toEqual([
      2,
      "absent.json cannot be read: there is no such file or folder (ENOENT). Name a file with a request's JSON body.\n",
    ])
  })
})

test('with a ledger a request may be that of a key, and a note says that limits and money come first', async () => {
  const ask = (principal: string, env: Readonly<Record<string, string>>) =>
    explain({ principal, body: { model: 'smart', messages: MESSAGES } }, [], env)
  const told = await ask('key_team-a.alice', { LEDGER: 'memory' })
  expect([told.code, told.stdout]).toEqual([0, expect.stringContaining('as key_team-a.alice')])
  expect(told.stdout).toContain('There is a ledger')
  expect(await ask('key_team-a.alice', {})).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Nobody goes by that name'),
  })
  expect((await ask('local', { LEDGER: 'memory' })).stdout).not.toContain('There is a ledger')
})
