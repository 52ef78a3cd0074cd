import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { EXAMPLES, type ExampleCall, KEY, sent, startExample, TOKENS } from '../helpers/examples.ts'
import { perTest } from '../helpers/per-test.ts'
import { runProgram } from '../helpers/run-program.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { isValid } from '../unit/config/file/validate-json-schema.ts'

setDefaultTimeout(60_000)

const SCHEMA = JSON.parse(readFileSync(`${EXAMPLES}nexcode.schema.json`, 'utf8')) as Readonly<Record<string, unknown>>
const NAMES = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml') && name !== 'docker-compose.yaml')

const MESSAGES = [{ role: 'user', content: 'hi' }]

const startUpstream = perTest(startScriptedUpstream)
const start = perTest(startExample)

const answer =
  (by: string): Script =>
  async (request, connection) => {
    await request.body
    connection.json({ id: `chatcmpl-of-${by}-0001`, object: 'chat.completion', model: `model-of-${by}`, by })
  }

const busy: Script = async (request, connection) => {
  await request.body
  connection.json({ error: { message: 'busy', type: 'rate_limit', param: null, code: null } }, 429)
}

describe.each(NAMES)('examples/%s', (name) => {
  const text = readFileSync(EXAMPLES + name, 'utf8')

  test('is short, says how to start it, and has editors complete and check it', () => {
    expect(text).toStartWith('# yaml-language-server: $schema=./nexcode.schema.json\n')
    expect(text.split('\n').length).toBeLessThan(60)
    expect(text).toContain(`nexcode --config ${name}\n`)
    expect(isValid(SCHEMA, parse(text))).toBe(true)
    expect(isValid(SCHEMA, { ...(parse(text) as object), modles: {} })).toBe(false)
  })

  test('has a valid configuration, as nexcode check finds, once its variables are set', async () => {
    const { url } = await startUpstream((_request, connection) => connection.json({ object: 'list', data: [] }))
    const variables = [...text.matchAll(/\$\{(\w+)/g)].map(([, variable = '']) => variable)
    const env = Object.fromEntries(
      variables.map((one) => [one, one.endsWith('BASE_URL') ? `${url}/v1` : `sk-for-${one}`]),
    )
    const { code, stdout, stderr } = await runProgram(['check', '--config', EXAMPLES + name], env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('✓ configuration is valid')
    expect(stdout).not.toContain('sk-for')
    const bare = await runProgram(['check', '--config', EXAMPLES + name])
    expect(bare.code).toBe(2)
    expect(bare.stderr).toContain('names the variable')
  })
})

test('there are seven of them', () => {
  expect(NAMES).toHaveLength(7)
})

describe('one-key-and-a-cap.yaml', () => {
  let call: ExampleCall
  let openai: ScriptedUpstream
  const begin = async (): Promise<void> => {
    openai = await startUpstream(answer('openai'))
    ;({ call } = await start('one-key-and-a-cap.yaml', { OPENAI_BASE_URL: `${openai.url}/v1` }))
  }

  test('caps what a caller asks for by any of the three names, and spends the key of the server', async () => {
    await begin()
    await call({ model: 'm', messages: MESSAGES, max_tokens: 9000, n: 5 })
    await call({ model: 'm', messages: MESSAGES, max_completion_tokens: 9000 })
    await call({ model: 'm', input: 'hi', max_output_tokens: 9000 }, '/v1/responses')
    await call({ model: 'm', messages: MESSAGES, max_tokens: 10 })
    expect(openai.requests.map((one) => one.header('authorization'))).toEqual(Array(4).fill(`Bearer ${KEY}`))
    const [first, second, third, fourth] = await Promise.all(openai.requests.map(sent))
    expect(first).toEqual({ model: 'm', messages: MESSAGES, max_tokens: 1000, n: 1 })
    expect(second).toEqual({ model: 'm', messages: MESSAGES, max_completion_tokens: 1000 })
    expect(third).toEqual({ model: 'm', input: 'hi', max_output_tokens: 1000 })
    expect(fourth).toEqual({ model: 'm', messages: MESSAGES, max_tokens: 10 })
  })

  test('gives a limit to who asks for none, leaves other endpoints alone, and lets nobody in without a token', async () => {
    await begin()
    await call({ model: 'm', messages: MESSAGES })
    await call({ model: 'm', input: 'hi' }, '/v1/responses')
    await call({ model: 'm', prompt: 'hi' }, '/v1/completions')
    await call({ model: 'm', input: 'hi' }, '/v1/embeddings')
    expect(await Promise.all(openai.requests.map(sent))).toEqual([
      { model: 'm', messages: MESSAGES, max_completion_tokens: 1000 },
      { model: 'm', input: 'hi', max_output_tokens: 1000 },
      { model: 'm', prompt: 'hi', max_tokens: 1000 },
      { model: 'm', input: 'hi' },
    ])
    expect((await call({ model: 'm', messages: MESSAGES }, '/v1/chat/completions', 'sk-none-of-ours')).status).toBe(401)
    expect(openai.requests).toHaveLength(4)
  })
})

test('azure-and-openai.yaml: Azure answers; where it is busy OpenAI does, under the same name', async () => {
  const [azure, openai] = [await startUpstream(answer('azure')), await startUpstream(answer('openai'))]
  const { call } = await start('azure-and-openai.yaml', {
    AZURE_BASE_URL: `${azure.url}/openai`,
    AZURE_API_KEY: 'key-of-azure',
    OPENAI_BASE_URL: `${openai.url}/v1`,
  })
  expect(await (await call({ model: 'gpt-4o', messages: MESSAGES })).json()).toMatchObject({
    by: 'azure',
    model: 'gpt-4o',
  })
  const [atAzure] = azure.requests
  expect(atAzure?.target).toBe('/openai/deployments/my-gpt-4o/chat/completions?api-version=2024-10-21')
  expect([atAzure?.header('api-key'), atAzure?.header('authorization')]).toEqual(['key-of-azure', undefined])
  azure.play(busy)
  expect(await (await call({ model: 'gpt-4o', messages: MESSAGES })).json()).toMatchObject({
    by: 'openai',
    model: 'gpt-4o',
  })
  expect(await sent(openai.requests[0])).toMatchObject({ model: 'gpt-4o' })
  expect(openai.requests[0]?.header('authorization')).toBe(`Bearer ${KEY}`)
  // What is no model of the file's is OpenAI's.
  expect(await (await call({ model: 'o9', messages: MESSAGES })).json()).toMatchObject({ by: 'openai' })
})

test('local-first.yaml: two at a time are answered here, the third by the cloud; and all by it while nothing runs here', async () => {
  const waiting: (() => void)[] = []
  const local = await startUpstream(
    (request, connection) => void waiting.push(() => void answer('local')(request, connection)),
  )
  const cloud = await startUpstream(answer('cloud'))
  const { call } = await start('local-first.yaml', {
    OLLAMA_BASE_URL: `${local.url}/v1`,
    OPENAI_BASE_URL: `${cloud.url}/v1`,
  })
  const ask = { model: 'assistant', messages: MESSAGES }
  const first = [call(ask), call(ask)]
  await local.request(2)
  const third = await call(ask)
  expect(await third.json()).toMatchObject({ by: 'cloud' })
  expect(third.headers.get('x-nexcode-upstream')).toBe('cloud')
  expect(await sent(cloud.requests[0])).toMatchObject({ model: 'gpt-4o-mini' })
  for (const finish of waiting) finish()
  for (const one of await Promise.all(first)) expect(await one.json()).toMatchObject({ by: 'local' })
  expect(await sent(local.requests[0])).toMatchObject({ model: 'llama3.2' })
  expect(local.requests[0]?.header('authorization')).toBeUndefined()
  await local.close()
  expect(await (await call(ask)).json()).toMatchObject({ by: 'cloud' })
})

test('key-pool.yaml: a conversation keeps its key, many share the keys, and one at its limit is stood in for', async () => {
  const openai = await startUpstream(answer('openai'))
  const keys = ['sk-pool-1', 'sk-pool-2', 'sk-pool-3'] as const
  const { call } = await start('key-pool.yaml', {
    OPENAI_BASE_URL: `${openai.url}/v1`,
    ...Object.fromEntries(keys.map((key, index) => [`OPENAI_API_KEY_${index + 1}`, key])),
  })
  const keyFor = async (user: string): Promise<string> => {
    const before = openai.requests.length
    expect((await call({ model: 'gpt-5', messages: MESSAGES, user })).status).toBe(200)
    expect(openai.requests.length).toBeGreaterThan(before)
    return openai.requests.at(-1)?.header('authorization')?.replace('Bearer ', '') ?? ''
  }
  const used = new Map<string, string>()
  for (let n = 0; n < 30; n += 1) used.set(`user-${n}`, await keyFor(`user-${n}`))
  expect([...new Set(used.values())].toSorted()).toEqual([...keys])
  for (const [user, key] of used) expect(await keyFor(user)).toBe(key)
  const spent = used.get('user-0') ?? ''
  openai.play((request, connection) =>
    (request.header('authorization') === `Bearer ${spent}` ? busy : answer('openai'))(request, connection),
  )
  expect(keys.filter((key) => key !== spent)).toContain((await keyFor('user-0')) as (typeof keys)[number])
})

describe('classroom.yaml', () => {
  let call: ExampleCall
  let openai: ScriptedUpstream
  const begin = async (): Promise<void> => {
    openai = await startUpstream(answer('openai'))
    ;({ call } = await start('classroom.yaml', { OPENAI_BASE_URL: `${openai.url}/v1` }))
  }
  const refusal = async (response: Response) => {
    const { error } = (await response.json()) as { error: { param: unknown; code: unknown } }
    return [response.status, error.code, error.param]
  }

  test('lets two models be used, by their names here, in short answers on one account', async () => {
    await begin()
    const response = await call({ model: 'tutor', messages: MESSAGES, max_tokens: 4000, temperature: 1.9 })
    expect(await response.json()).toMatchObject({ model: 'tutor' })
    await call({ model: 'thinker', messages: MESSAGES })
    expect(await Promise.all(openai.requests.map(sent))).toEqual([
      { model: 'gpt-4o-mini', messages: MESSAGES, max_tokens: 500, temperature: 1, user: 'classroom' },
      { model: 'gpt-4o', messages: MESSAGES, max_completion_tokens: 500, user: 'classroom' },
    ])
    const list = (await (await call(undefined, '/v1/models')).json()) as { data: { id: string }[] }
    expect(list.data.map(({ id }) => id)).toEqual(['tutor', 'thinker'])
  })

  test('refuses all else before it costs anything: other models, parameters, endpoints; a model for the second class', async () => {
    await begin()
    expect(await refusal(await call({ model: 'gpt-4o', messages: MESSAGES }))).toEqual([404, 'model_not_found', null])
    const withTools = { model: 'tutor', messages: MESSAGES, tools: [] }
    expect(await refusal(await call(withTools))).toEqual([400, 'parameter_not_allowed', 'tools'])
    const others = { embeddings: 'input', 'images/generations': 'prompt', responses: 'input', batches: 'input_file_id' }
    for (const [endpoint, param] of Object.entries(others)) {
      const response = await call({ model: 'tutor', [param]: 'x' }, `/v1/${endpoint}`)
      expect(await refusal(response)).toEqual([400, 'parameter_not_allowed', param])
    }
    const second = await call({ model: 'thinker', messages: MESSAGES }, '/v1/chat/completions', TOKENS[1])
    expect(await refusal(second)).toEqual([400, 'unsupported_value', 'model'])
    expect(openai.requests).toHaveLength(0)
  })

  test('has what names no model go without the key of the server, and without the token', async () => {
    await begin()
    await call(undefined, '/v1/files')
    expect(openai.requests.map((one) => one.header('authorization'))).toEqual([undefined])
  })
})
