import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { SimulatedServer } from '../../src/cli/simulated-server.ts'
import { type FlakyUpstream, startFlakyUpstream } from '../helpers/flaky-upstream.ts'
import { preparePython } from '../helpers/python.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

/** What one case gave, directly and through the gateway. */
interface Outcome {
  readonly case: string
  readonly client: string
  readonly direct: unknown
  readonly through: unknown
}

const SCRIPT = new URL('python/sdk_cases.py', import.meta.url).pathname
const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) the tests with the Python SDK: ${python.missing}\n`)

const outcomes = new Map<string, Outcome>()
let gateway: TestGateway<'openai', SimulatedServer>
let flaky: FlakyUpstream
let beforeFlaky: TestGateway

const quickly = { 'retry-after-ms': '1' }
const refusal = (status: number, headers: Readonly<Record<string, string>> = {}) => ({
  status,
  headers: { ...quickly, ...headers },
})

beforeAll(async () => {
  if ('missing' in python) return
  gateway = await startGateway({ upstreams: { openai: 'simulated' } })
  flaky = await startFlakyUpstream({
    'rate-limited': [refusal(429), refusal(429)],
    broken: [refusal(500), refusal(500)],
    'please-retry': [refusal(400, { 'x-should-retry': 'true' }), refusal(400, { 'x-should-retry': 'true' })],
    overloaded: [refusal(503), refusal(503), refusal(503)],
    'bad-request': [refusal(400)],
    'no-retry': [refusal(500, { 'x-should-retry': 'false' })],
  })
  beforeFlaky = await startGateway({ env: { OPENAI_API_BASE: flaky.baseUrl } })
  const gone = await startScriptedUpstream(() => undefined)
  await gone.close()
  const child = Bun.spawn([python.executable, '-B', SCRIPT], {
    env: {
      DIRECT: `${gateway.upstreams.openai.url}/v1`,
      THROUGH: `${gateway.url}/v1`,
      FLAKY: `${beforeFlaky.url}/v1`,
      GONE: `${gone.url}/v1`,
    },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [printed, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(complaints)
  for (const line of printed.trim().split('\n')) {
    const outcome = JSON.parse(line) as Outcome
    outcomes.set(`${outcome.case} ${outcome.client}`, outcome)
  }
}, 60_000)

afterAll(async () => {
  if ('missing' in python) return
  await gateway.stop()
  await beforeFlaky.stop()
  await flaky.close()
})

const told = (raises: string, status: number, more: object = {}) => expect.objectContaining({ raises, status, ...more })
const weather = expect.objectContaining({ name: 'get_weather', arguments: expect.stringContaining('"city"') })
const calling = { tool_calls: [expect.objectContaining({ function: weather })] }
const trip = { city: expect.any(String), days: expect.any(Number) }
const eight = Array.from({ length: 8 }, () => expect.any(Number))
const stranger = told('BadRequestError', 400, { request_id: 'req_1' })

/** Each case of the script: its sentence, and what it must give. The same must come directly. */
const SAME: Readonly<Record<string, readonly [sentence: string, expected: unknown]>> = {
  chat: [
    'chat completions',
    [
      expect.objectContaining({ choices: [expect.anything(), expect.anything()] }),
      expect.stringMatching(/^req_simulated_/),
    ],
  ],
  headers: [
    'OpenAI’s request id and rate-limit headers',
    expect.objectContaining({ 'x-request-id': expect.any(String), 'x-ratelimit-reset-tokens': '30ms' }),
  ],
  chat_stream: [
    'streamed chat completions, chunk by chunk, with usage',
    expect.arrayContaining([
      expect.objectContaining({ usage: expect.objectContaining({ total_tokens: expect.any(Number) }) }),
    ]),
  ],
  chat_stream_bytes: [
    'the very bytes of a stream',
    ['text/event-stream; charset=utf-8', expect.stringMatching(/data: \[DONE\]\n\n$/)],
  ],
  tools: [
    'tool calls',
    expect.objectContaining({ choices: [expect.objectContaining({ message: expect.objectContaining(calling) })] }),
  ],
  tools_stream: [
    'streamed tool calls, put together by its stream helper',
    expect.objectContaining({ choices: [expect.objectContaining({ message: expect.objectContaining(calling) })] }),
  ],
  structured_output: ['structured output, parsed into a model', trip],
  completions: [
    'text completions',
    expect.objectContaining({
      choices: [expect.objectContaining({ text: expect.stringMatching(/^Say/) }), expect.anything()],
    }),
  ],
  completions_stream: [
    'streamed text completions',
    expect.arrayContaining([expect.objectContaining({ object: 'text_completion' })]),
  ],
  embeddings: [
    'embeddings, as floats and as base64',
    { floats: [eight, eight], base64: [expect.any(String), expect.any(String)], decoded: [eight, eight] },
  ],
  responses: ['responses', [expect.stringContaining('Hello'), expect.objectContaining({ metadata: { a: '1' } })]],
  responses_stream: [
    'streamed responses, event by event, with function calls',
    expect.arrayContaining([
      expect.objectContaining({ type: 'response.function_call_arguments.delta' }),
      expect.objectContaining({ type: 'response.completed' }),
    ]),
  ],
  responses_parse: ['structured output of responses, parsed into a model', trip],
  models: [
    'the list of models, and one of them',
    [expect.arrayContaining([expect.objectContaining({ id: 'gpt-5' })]), expect.objectContaining({ id: 'gpt-4o' })],
  ],
  files: [
    'files, uploaded, listed, read back and deleted',
    expect.objectContaining({
      uploaded: expect.objectContaining({ bytes: 300_000, filename: 'naïve 文件.bin' }),
      listed: [expect.anything()],
      deleted: true,
      same_content: true,
    }),
  ],
  speech: ['speech, as the same audio', ['audio/wav', expect.any(String)]],
  transcriptions: [
    'transcriptions, as JSON and as text',
    [expect.objectContaining({ text: expect.stringContaining('4321 bytes') }), expect.stringContaining('4321 bytes')],
  ],
  moderations: ['moderations', [false, expect.anything()]],
  bad_request: ['400 BadRequestError', told('BadRequestError', 400, { param: 'stream_options' })],
  wrong_key: ['401 AuthenticationError', told('AuthenticationError', 401, { code: 'invalid_api_key' })],
  not_found: [
    '404 NotFoundError',
    [told('NotFoundError', 404, { code: 'model_not_found' }), told('NotFoundError', 404)],
  ],
  status_errors: [
    'the exception of each other status, with its retry headers',
    [
      told('PermissionDeniedError', 403),
      told('ConflictError', 409),
      told('UnprocessableEntityError', 422),
      told('RateLimitError', 429, { headers: expect.objectContaining({ 'retry-after-ms': '20', 'retry-after': '1' }) }),
      told('InternalServerError', 500),
      told('InternalServerError', 502),
      told('InternalServerError', 503),
    ],
  ],
  used_up_quota: [
    '429 RateLimitError for a used-up quota',
    told('RateLimitError', 429, { code: 'insufficient_quota' }),
  ],
  error_in_stream: [
    'an error event in a stream, after the same chunks',
    [expect.objectContaining({ raises: 'APIError' }), expect.arrayContaining([expect.anything()])],
  ],
  broken_stream: [
    'a stream that broke off, as an exception after the same chunks',
    [expect.arrayContaining([expect.anything()]), true],
  ],
  own_timeout: ['a timeout of its own, as APITimeoutError', expect.objectContaining({ raises: 'APITimeoutError' })],
  left_stream: [
    'the first chunk of a stream that it leaves',
    expect.objectContaining({ object: 'chat.completion.chunk' }),
  ],
}

/** Cases that have nothing to be compared with. */
const THROUGH: Readonly<Record<string, readonly [sentence: string, expected: unknown]>> = {
  without_v1: ['works with a base URL that lacks /v1', ['chat.completion', 'gpt-4o']],
  cut_connection: [
    'learns that the upstream cut the connection, as InternalServerError 502',
    told('InternalServerError', 502, { code: 'upstream_unreachable' }),
  ],
  gateway_is_not_there: [
    'learns that the gateway is not there, as APIConnectionError',
    expect.objectContaining({ raises: 'APIConnectionError' }),
  ],
  missing_messages: [
    'learns which parameter is wrong, as BadRequestError',
    told('BadRequestError', 400, { param: 'messages', code: 'empty_array' }),
  ],
  retries: [
    'retries as upstream’s headers say, and only itself',
    {
      'rate-limited': [2, 'At last.'],
      broken: [2, 'At last.'],
      'please-retry': [2, 'At last.'],
      overloaded: told('InternalServerError', 503, { request_id: 'req_3' }),
      'bad-request': stranger,
      'no-retry': told('InternalServerError', 500, { request_id: 'req_1' }),
    },
  ],
}

describe.skipIf('missing' in python).each(['sync', 'async'])('the official Python SDK, its %s client,', (client) => {
  test.each(Object.entries(SAME).map(([name, [sentence, expected]]) => [sentence, name, expected] as const))(
    'gets through the gateway what it gets directly: %s',
    (_sentence, name, expected) => {
      const { direct, through } = outcomes.get(`${name} ${client}`) ?? {}
      expect(JSON.stringify(through)).toBe(JSON.stringify(direct))
      expect(through).toEqual(expected)
    },
  )

  test.each(Object.entries(THROUGH).map(([name, [sentence, expected]]) => [sentence, name, expected] as const))(
    '%s',
    (_sentence, name, expected) => {
      expect(outcomes.get(`${name} ${client}`)?.through).toEqual(expected)
    },
  )

  test('makes one call upstream for each attempt of its own', () => {
    const attempts = (key: string) => flaky.attempts(`${key}:${client}`)
    for (const key of ['rate-limited', 'broken', 'please-retry', 'overloaded'])
      expect(attempts(key)).toEqual(['0', '1', '2'])
    for (const key of ['bad-request', 'no-retry']) expect(attempts(key)).toEqual(['0'])
  })

  test('has no case that is not looked at', () => {
    const run = [...outcomes.values()].filter((outcome) => outcome.client === client).map((outcome) => outcome.case)
    expect(run.sort()).toEqual([...Object.keys(SAME), ...Object.keys(THROUGH)].sort())
  })
})

test.skipIf('missing' in python)(
  'a call that the Python SDK gave up is given up upstream, and the log says so',
  async () => {
    for (const model of ['simulate-hang', 'simulate-stall']) {
      expect(await gateway.line((line) => line['model'] === model)).toMatchObject({ outcome: 'cancelled' })
    }
  },
)
