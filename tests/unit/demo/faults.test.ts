import { describe, expect, test } from 'bun:test'
import { directives } from '../../../src/demo/faults.ts'
import { SimulatedReset } from '../../../src/demo/refusals.ts'
import { createSimulatedOpenAI } from '../../../src/demo/simulated-openai.ts'
import { chat, openai, post } from './simulated-calls.ts'

function simulate(directive: string, more: object = {}): Request {
  return chat('Hi', more, { 'x-simulate': directive })
}

/** What of a body arrives before it ends or breaks, and which of the two it was. */
async function bodyOf(response: Response): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true })
    return { text, broken: false }
  } catch {
    return { text, broken: true }
  }
}

/** The reason for which a promise is rejected. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  )
}

describe('a fault asked for by x-simulate', () => {
  test('status=429 is a rate limit with a short retry-after', async () => {
    const response = await openai.fetch(simulate('status=429'))
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(response.headers.get('retry-after-ms')).toBe('20')
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(await response.json()).toMatchObject({
      error: {
        type: 'requests',
        code: 'rate_limit_exceeded',
        param: null,
        message: expect.stringMatching(/^Rate limit reached/),
      },
    })
    const longer = await openai.fetch(simulate('status=429; retry-after-ms=2500'))
    expect(longer.headers.get('retry-after')).toBe('3')
    expect(longer.headers.get('retry-after-ms')).toBe('2500')
  })

  test('insufficient-quota is OpenAI’s other 429, without a retry-after', async () => {
    const response = await openai.fetch(simulate('insufficient-quota'))
    expect(response.status).toBe(429)
    expect(response.headers.has('retry-after')).toBe(false)
    expect(await response.json()).toMatchObject({ error: { type: 'insufficient_quota', code: 'insufficient_quota' } })
  })

  test('status=500, 503 and any other have an error of their own, which names the request', async () => {
    const requestId = (await openai.fetch(simulate('status=500'))).headers.get('x-request-id')
    expect(await (await openai.fetch(simulate('status=500'))).json()).toEqual({
      error: {
        message: `The server had an error processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if you keep seeing this error. (Please include the request ID ${requestId} in your email.)`,
        type: 'server_error',
        param: null,
        code: null,
      },
    })
    const overloaded = await openai.fetch(simulate('status=503'))
    expect([overloaded.status, overloaded.headers.get('retry-after-ms')]).toEqual([503, '20'])
    expect(await overloaded.text()).toContain('That model is currently overloaded')
    const other = await openai.fetch(simulate('status=418'))
    expect(other.status).toBe(418)
    expect(await other.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
  })

  test('wins over a body that would be refused, and works on every path', async () => {
    const headers = { 'x-simulate': 'status=500' }
    expect((await openai.fetch(post('/v1/chat/completions', '{', headers))).status).toBe(500)
    expect((await openai.fetch(new Request('http://simulated/v1/models', { headers }))).status).toBe(500)
  })

  test('delay waits before the headers', async () => {
    const began = performance.now()
    const response = await openai.fetch(simulate('delay=50'))
    expect(performance.now() - began).toBeGreaterThanOrEqual(45)
    expect(response.status).toBe(200)
    expect(response.headers.get('openai-processing-ms')).toBe('51')
  })

  test('reset is an error that stands for a cut connection', async () => {
    const failure = await failureOf(openai.fetch(simulate('reset')))
    expect(failure).toBeInstanceOf(SimulatedReset)
    expect(failure).toMatchObject({ code: 'ECONNRESET' })
  })

  test('hang ends only when the client leaves', async () => {
    const client = new AbortController()
    const request = post('/v1/chat/completions', {}, { 'x-simulate': 'hang' }, client.signal)
    const answer = failureOf(openai.fetch(request))
    expect(await Promise.race([answer, Bun.sleep(30).then(() => 'silent')])).toBe('silent')
    client.abort()
    expect(await answer).toMatchObject({ name: 'AbortError' })
  })

  test('html is a page with 200, or with the status asked for', async () => {
    const page = await openai.fetch(simulate('html'))
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await page.text()).toStartWith('<!doctype html>')
    expect((await openai.fetch(simulate('html; status=502', { stream: true }))).status).toBe(502)
  })

  for (const [kind, more] of [
    ['a stream', { stream: true }],
    ['a JSON body', {}],
  ] as const) {
    test(`reset-midstream breaks ${kind} off half-way`, async () => {
      const whole = await bodyOf(await openai.fetch(chat('Hi', more)))
      const cut = await bodyOf(await openai.fetch(simulate('reset-midstream', more)))
      expect(cut.broken).toBe(true)
      expect(whole.text).toStartWith(cut.text)
      expect(cut.text.length).toBeGreaterThan(whole.text.length / 3)
      expect(cut.text.length).toBeLessThan((whole.text.length * 2) / 3)
    })

    test(`truncate ends ${kind} half-way as if it were complete`, async () => {
      const whole = await bodyOf(await openai.fetch(chat('Hi', more)))
      const cut = await bodyOf(await openai.fetch(simulate('truncate', more)))
      expect(cut.broken).toBe(false)
      expect(whole.text).toStartWith(cut.text)
      expect(cut.text.length).toBeLessThan((whole.text.length * 2) / 3)
    })
  }

  test('stall goes silent half-way, and ends when the reader leaves', async () => {
    const response = await openai.fetch(simulate('stall', { stream: true }))
    const reader = response.body?.getReader()
    const silence = (): Promise<string> => Bun.sleep(50).then(() => 'silent')
    let chunks = 0
    let last: unknown
    while (last !== 'silent') {
      last = await Promise.race([reader?.read(), silence()])
      chunks += 1
    }
    expect(chunks).toBeGreaterThan(5)
    await reader?.cancel()
    expect(await reader?.read()).toMatchObject({ done: true })
  })

  test('error-midstream sends an error event and ends without [DONE]', async () => {
    const { text, broken } = await bodyOf(await openai.fetch(simulate('error-midstream', { stream: true })))
    expect(broken).toBe(false)
    const last = text.split('\n\n').at(-2) ?? ''
    expect(JSON.parse(last.slice('data: '.length))).toMatchObject({ error: { type: 'server_error', code: null } })
    expect(text).not.toContain('[DONE]')
  })

  test('error-midstream in a response is an event of type error with the next number', async () => {
    const headers = { 'x-simulate': 'error-midstream' }
    const request = post('/v1/responses', { model: 'gpt-5', input: 'Hi', stream: true }, headers)
    const frames = (await (await openai.fetch(request)).text()).split('\n\n').filter(Boolean)
    const [, data = ''] = /^event: error\ndata: (.*)$/.exec(frames.at(-1) ?? '') ?? []
    expect(JSON.parse(data)).toMatchObject({ type: 'error', code: 'server_error', sequence_number: frames.length - 1 })
  })

  test('slow waits between the chunks, and takes several directives with it', async () => {
    const began = performance.now()
    const response = await openai.fetch(simulate('slow=10; delay=20', { stream: true, max_tokens: 3 }))
    await response.text()
    // A role, three words, the end and [DONE]: five waits.
    expect(performance.now() - began).toBeGreaterThanOrEqual(65)
  })

  test('may be asked for by several headers', async () => {
    const request = simulate('status=503')
    request.headers.append('x-simulate', 'retry-after-ms=7')
    const response = await openai.fetch(request)
    expect([response.status, response.headers.get('retry-after-ms')]).toEqual([503, '7'])
  })

  test('that is unknown, or has a value it cannot have, gives 400 and the list of those that are known', async () => {
    for (const directive of [
      'explode',
      'constructor',
      'status',
      'status=200',
      'delay=soon',
      'delay=999999999',
      'reset=1',
    ]) {
      const response = await openai.fetch(simulate(directive))
      expect(response.status).toBe(400)
      const { error } = (await response.json()) as { error: { message: string; code: string; param: string } }
      expect(error.message).toStartWith(`The simulated OpenAI cannot simulate '${directive}'.`)
      expect([error.param, error.code]).toEqual(['x-simulate', 'unknown_directive'])
      for (const known of Object.keys(directives)) expect(error.message).toContain(known)
    }
  })
})

describe('a fault asked for without a header', () => {
  test('is named by the model', async () => {
    const statusOf = async (model: string) => (await openai.fetch(chat('Hi', { model }))).status
    expect(await statusOf('simulate-429')).toBe(429)
    expect(await statusOf('simulate-503')).toBe(503)
    expect(await statusOf('simulate-insufficient-quota')).toBe(429)
    expect(await statusOf('simulate-delay-5')).toBe(200)
    expect(await statusOf('simulate-nonsense')).toBe(400)
    expect(await failureOf(openai.fetch(chat('Hi', { model: 'simulate-reset' })))).toBeInstanceOf(SimulatedReset)
    const cut = await openai.fetch(chat('Hi', { model: 'simulate-reset-midstream', stream: true }))
    expect((await bodyOf(cut)).broken).toBe(true)
    const slow = await openai.fetch(chat('Hi', { model: 'simulate-slow-1' }))
    expect(await slow.json()).toMatchObject({ model: 'simulate-slow-1' })
  })

  test('is spoken in the last message, a prompt or an input', async () => {
    const spoken = '[simulate: status=500] Hi'
    const requests = [
      chat(spoken),
      chat([{ type: 'text', text: spoken }]),
      post('/v1/completions', { model: 'm', prompt: spoken }),
      post('/v1/responses', { model: 'm', input: spoken }),
      post('/v1/responses', { model: 'm', input: [{ role: 'user', content: spoken }] }),
      post('/v1/embeddings', { model: 'm', input: ['a', spoken] }),
    ]
    const answers = await Promise.all(requests.map((request) => openai.fetch(request)))
    expect(answers.map(({ status }) => status)).toEqual(requests.map(() => 500))
  })

  test('gives way to what the header says', async () => {
    const response = await openai.fetch(
      chat('[simulate: status=500]', { model: 'simulate-503' }, { 'x-simulate': 'status=418' }),
    )
    expect(response.status).toBe(418)
  })
})

describe('a client that leaves', () => {
  test('before a delay has begun is not waited for', async () => {
    const client = new AbortController()
    const request = post('/v1/chat/completions', {}, { 'x-simulate': 'delay=600000' }, client.signal)
    const answer = failureOf(openai.fetch(request))
    client.abort()
    expect(await answer).toMatchObject({ name: 'AbortError' })
  })

  test('during a delay ends the work at once', async () => {
    const client = new AbortController()
    const request = post('/v1/chat/completions', {}, { 'x-simulate': 'delay=600000' }, client.signal)
    const answer = failureOf(openai.fetch(request))
    expect(await Promise.race([answer, Bun.sleep(20).then(() => 'waiting')])).toBe('waiting')
    client.abort()
    expect(await answer).toMatchObject({ name: 'AbortError' })
  })

  test('during a stream breaks it off, between chunks too', async () => {
    const client = new AbortController()
    const slow = createSimulatedOpenAI({ chunkDelayMs: 600_000 })
    const body = { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hi' }] }
    const response = await slow.fetch(post('/v1/chat/completions', body, {}, client.signal))
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    const next = failureOf(reader?.read() ?? Promise.resolve())
    expect(await Promise.race([next, Bun.sleep(20).then(() => 'waiting')])).toBe('waiting')
    client.abort()
    expect(await next).toBeUndefined()
  })

  test('before the first chunk is read gets none', async () => {
    const client = new AbortController()
    const body = { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hi' }] }
    const response = await openai.fetch(post('/v1/chat/completions', body, {}, client.signal))
    client.abort()
    expect(await bodyOf(response)).toEqual({ text: '', broken: true })
  })
})

describe('docs/simulated-openai.md', () => {
  test('lists every directive', async () => {
    const page = await Bun.file(new URL('../../../docs/simulated-openai.md', import.meta.url)).text()
    for (const [name, { value }] of Object.entries(directives)) {
      expect(page).toContain(value ? `\`${name}=<${value.name}>\`` : `\`${name}\``)
    }
  })
})
