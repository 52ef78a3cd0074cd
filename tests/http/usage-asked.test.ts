import { expect, test } from 'bun:test'
import { type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { ReceivedRequest, Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { SSE } from '../helpers/upstream-scripts.ts'

const MODEL = '"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-4o-2024-08-06"'
const USAGE = '{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}'

/** A stream as OpenAI sends it: with `usage` where it is asked for. */
function openaiStream(isAsked: boolean, lineEnd = '\n'): string {
  const usage = isAsked ? ',"usage":null' : ''
  const data = [
    `{${MODEL},"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]${usage},"obfuscation":"a"}`,
    `{${MODEL},"choices":[{"index":0,"delta":{"content":"Hé \\"usage\\":null"},"finish_reason":null}]${usage},"obfuscation":"b"}`,
    `{${MODEL},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]${usage},"obfuscation":""}`,
    ...(isAsked ? [`{${MODEL},"choices":[],"usage":${USAGE},"obfuscation":""}`] : []),
    '[DONE]',
  ]
  return data.map((one) => `data: ${one}${lineEnd}${lineEnd}`).join('')
}

const bodyOf = async (request: ReceivedRequest): Promise<string> => new TextDecoder().decode(await request.body)

/** Sends a stream in chunks of a few bytes. */
async function inPieces(connection: UpstreamConnection, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text)
  connection.startChunked(200, SSE)
  for (let at = 0; at < bytes.byteLength; at += 23) {
    connection.chunk(bytes.slice(at, at + 23))
    await new Promise((resolve) => setImmediate(resolve))
  }
  connection.endChunks()
}

const answerAsAsked =
  (lineEnd = '\n'): Script =>
  async (request, connection) => {
    const { stream_options: options } = JSON.parse(await bodyOf(request))
    await inPieces(connection, openaiStream(options?.include_usage === true, lineEnd))
  }

const sent = ({ upstreams }: MeteredGateway, n = 1): Promise<string> => upstreams.openai.request(n).then(bodyOf)
const BODY = '{ "model":"gpt-4o", "messages":[],"stream":true }'
const ASKING = '{"stream_options":{"include_usage":true}, "model":"gpt-4o", "messages":[],"stream":true }'

for (const [name, lineEnd] of [
  ['LF', '\n'],
  ['CR LF', '\r\n'],
] as const) {
  test(`a metered stream is asked for its usage, and its caller sees the bytes that it would have seen (${name})`, async () => {
    await using gateway = await startMetered(answerAsAsked(lineEnd))
    const key = await gateway.key()
    const answer = await gateway.chat(BODY, { authorization: `Bearer ${key}` })
    expect(await answer.text()).toBe(openaiStream(false, lineEnd))
    expect(await sent(gateway)).toBe(ASKING)
    const { usage, cost } = await gateway.booked(1)
    expect([usage['inputText'], usage['outputText'], cost]).toEqual([1000, 100, 3_500_000n])
  })
}

test('a caller that asks for usage sees it, and its request goes on as it came', async () => {
  await using gateway = await startMetered(answerAsAsked())
  const key = await gateway.key()
  const body = '{"model":"gpt-4o","messages":[],"stream":true, "stream_options":{"include_usage":true}}'
  const answer = await gateway.chat(body, { authorization: `Bearer ${key}` })
  expect(await answer.text()).toBe(openaiStream(true))
  expect(await sent(gateway)).toBe(body)
  expect((await gateway.booked(1)).usage['outputText']).toBe(100)
})

test('ledger.include_usage: false asks no server; then what was written is estimated from what was seen', async () => {
  await using gateway = await startMetered(answerAsAsked(), { file: { ledger: { include_usage: false } } })
  const key = await gateway.key()
  const answer = await gateway.chat(BODY, { authorization: `Bearer ${key}` })
  expect(await answer.text()).toBe(openaiStream(false))
  expect(await sent(gateway)).toBe(BODY)
  const { usage } = await gateway.booked(1)
  expect(usage['outputText']).toBe(5)
  expect(usage['inputText']).toBeGreaterThan(0)
})

test('a server that tells its usage anyway, or refuses to be asked, is not asked, and its events stay as they are', async () => {
  const text = `data: {${MODEL},"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":${USAGE}}\n\ndata: [DONE]\n\n`
  const answer: Script = async (request, connection) => {
    await request.body
    await inPieces(connection, text)
  }
  for (const settings of [{ preset: 'mistral' }, { preset: 'llama-cpp-python' }, { include_usage: false }]) {
    await using gateway = await startMetered(answer, { settings: { openai: { ...settings, api_key: 'sk-x' } } })
    const key = await gateway.key()
    const got = await gateway.chat(BODY, { authorization: `Bearer ${key}` })
    expect(await got.text()).toBe(text)
    expect(await sent(gateway)).toBe(BODY)
    expect((await gateway.booked(1)).usage['outputText']).toBe(100)
  }
})

test('what is cached is what the caller sees', async () => {
  const file = { cache: { store: 'memory', ttl: '60s' } }
  await using gateway = await startMetered(answerAsAsked(), { file })
  const key = await gateway.key()
  const headers = { authorization: `Bearer ${key}` }
  for (const expected of ['MISS', 'HIT']) {
    const answer = await gateway.chat({ model: 'gpt-4o', stream: true, temperature: 0 }, headers)
    expect(answer.headers.get('x-nexcode-cache')).toBe(expected)
    expect(await answer.text()).toBe(openaiStream(false))
  }
  const { requests, cost } = await gateway.booked(2)
  expect([requests, cost]).toEqual([2, 3_500_000n])
})

test('a stream that its caller leaves is booked by what it has seen of it', async () => {
  await using gateway = await startMetered(async (request, connection) => {
    await request.body
    connection.startChunked(200, SSE)
    connection.chunk(
      `data: {${MODEL},"choices":[{"index":0,"delta":{"content":"${'word '.repeat(40)}"}}],"usage":null}\n\n`,
    )
  })
  const key = await gateway.key()
  const abort = new AbortController()
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: BODY,
    signal: abort.signal,
  })
  await answer.body?.getReader().read()
  abort.abort()
  expect((await gateway.booked(1)).usage['outputText']).toBe(50)
})
