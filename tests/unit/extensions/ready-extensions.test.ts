import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ForwardedRequest } from '../../../src/extensions/chain-request.ts'
import { loadExtensions, renderExtensionProblems } from '../../../src/extensions/load/load-extensions.ts'
import type { Json } from '../../../src/formats/json/json.ts'
import type { ApiError } from '../../../src/openai/api-error.ts'
import { cpuMs } from '../../helpers/cpu-time.ts'
import { type ChainUnderTest, chainUnderTest, eventStream, textOf } from './chain-under-test.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
const EXAMPLES = join(ROOT, 'examples/extensions')

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-ready-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A chain with one of the ready extensions, as the program loads it. */
async function ready(
  name: string,
  options: Json = {},
  last?: (outgoing: ForwardedRequest) => Response | Promise<Response>,
  call?: (outgoing: ForwardedRequest) => Response | Promise<Response>,
): Promise<ChainUnderTest> {
  const setting = { path: join(EXAMPLES, `${name}.ts`), options, onError: 'fail', timeoutMs: 1000 } as const
  const loaded = await loadExtensions([setting])
  if (!loaded.ok) throw new Error(renderExtensionProblems(loaded.problems))
  return chainUnderTest(loaded.extensions, last, call)
}

/** What goes on, parsed. */
async function sentBy({ sent }: ChainUnderTest): Promise<unknown> {
  return JSON.parse(await textOf(sent[0] as ForwardedRequest))
}

function chat(content: unknown, more: object = {}): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more })
}

function chunk(content: string, index = 0): string {
  return `data: ${JSON.stringify({ choices: [{ index, delta: { content } }] })}\n\n`
}

test('each of them is strict TypeScript by nexcode.d.ts alone', () => {
  const names = readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts'))
  const flags = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--lib', 'esnext,dom']
  // One of them writes a file, which only the runtime's own types know of.
  const types = ['--types', 'bun', '--typeRoots', join(ROOT, 'node_modules/@types'), '--skipLibCheck']
  const modules = ['--module', 'preserve', '--target', 'esnext', '--ignoreConfig', '--noEmit']
  const command = [join(ROOT, 'node_modules/.bin/tsc'), ...modules, ...flags, ...types, ...names]
  expect(Bun.spawnSync(command, { cwd: EXAMPLES }).stdout.toString()).toBe('')
}, 60_000)

describe('system-prompt', () => {
  test('stands in front of the conversation', async () => {
    const made = await ready('system-prompt', { prompt: 'Be kind.' })
    await made.ask({ body: chat('hi', { seed: 1 }) })
    expect(await sentBy(made)).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'hi' },
      ],
      seed: 1,
    })
  })

  test.each([
    [{ target: '/v1/embeddings', body: '{"messages":[]}' }],
    [{ body: '{"messages":5}' }],
    [{ method: 'GET', target: '/v1/chat/completions' }],
  ])('lets what is no conversation go by: %p', async (asked) => {
    const made = await ready('system-prompt')
    await made.ask(asked)
    expect(made.sent[0]?.isOriginal).toBe(true)
  })
})

describe('mask-personal-data', () => {
  test('masks e-mail addresses and card numbers, wherever they are', async () => {
    const made = await ready('mask-personal-data')
    await made.ask({
      body: chat([{ type: 'text', text: 'ä.b+c@mail.example.org and 4111 1111-1111 1111, or 4111111111111112' }]),
    })
    expect(await sentBy(made)).toMatchObject({
      messages: [{ content: [{ text: '[e-mail] and [card], or 4111111111111112' }] }],
    })
    expect(made.lines.map(({ message }) => message)).toEqual(['personal data was masked'])
    expect(JSON.stringify(made.lines)).not.toContain('mail.example')
  })

  test('leaves the very bytes where there is nothing to mask', async () => {
    const made = await ready('mask-personal-data')
    await made.ask({ body: '{ "seed": 9007199254740993, "order": "12345678901234" }' })
    expect(made.sent[0]?.isOriginal).toBe(true)
    await made.ask({ body: 'x', headers: { 'content-type': 'audio/mpeg' } })
    expect(made.sent[1]?.isOriginal).toBe(true)
  })

  test('takes no time for long texts that could be addresses or numbers', async () => {
    const made = await ready('mask-personal-data')
    const started = cpuMs()
    await made.ask({
      body: JSON.stringify({ a: 'a.'.repeat(20_000), b: '1 '.repeat(20_000), c: `a@${'a.'.repeat(20_000)}` }),
    })
    expect(cpuMs() - started).toBeLessThan(10_000)
  })
})

describe('moderation-gate', () => {
  const verdict = (flagged: boolean) => () => Response.json({ results: [{ flagged: false }, { flagged }] })

  test('asks first, and lets through what is not flagged; a verdict is remembered', async () => {
    const made = await ready('moderation-gate', { model: 'mod' }, undefined, verdict(false))
    await made.ask({ body: chat('hi') })
    await made.ask({ body: chat([{ type: 'text', text: 'hi' }, { type: 'image_url' }]) })
    await made.ask({ body: chat('hi') })
    expect(made.sent.every(({ isOriginal }) => isOriginal)).toBe(true)
    expect(made.called.map(({ target }) => target)).toEqual(['/v1/moderations', '/v1/moderations'])
    expect(JSON.parse(await textOf(made.called[0] as ForwardedRequest))).toEqual({ model: 'mod', input: 'hi' })
    expect(JSON.stringify([...made.stored.keys()])).not.toContain('hi')
  })

  test('refuses what is flagged, in OpenAI’s shape', async () => {
    const made = await ready('moderation-gate', {}, undefined, verdict(true))
    const error = (await made.ask({ body: chat('bad') }).catch((thrown: unknown) => thrown)) as ApiError
    expect(error.body.error).toEqual({
      message: 'Your message was flagged.',
      type: 'invalid_request_error',
      param: 'messages',
      code: 'content_flagged',
    })
    expect(made.sent).toEqual([])
  })

  test('lets nobody through where it can’t see', async () => {
    const made = await ready('moderation-gate', {}, undefined, () => new Response('no', { status: 500 }))
    expect(await made.ask({ body: chat('hi') }).catch((thrown: unknown) => thrown)).toMatchObject({
      kind: 'extension_failed',
    })
    expect(made.sent).toEqual([])
  })

  test.each([
    { body: '{}' },
    { body: chat('') },
    { body: chat(5) },
    { target: '/v1/embeddings', body: '{"input":"a"}' },
  ])('has nothing to ask of %p', async (asked) => {
    const made = await ready('moderation-gate')
    await made.ask(asked)
    expect([made.called.length, made.sent.length]).toEqual([0, 1])
  })
})

describe('faq', () => {
  const options = { answers: { 'What is it?': 'A gateway.' } }

  test('answers a known question by itself', async () => {
    const made = await ready('faq', options)
    const response = await made.ask({ body: chat('  what IS   it？ ') })
    expect(await response.json()).toMatchObject({
      id: 'chatcmpl-req_1',
      object: 'chat.completion',
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'A gateway.' }, finish_reason: 'stop' }],
    })
    expect(made.sent).toEqual([])
  })

  test('streams it where that is asked for', async () => {
    const made = await ready('faq', options)
    const response = await made.ask({ body: chat('What is it?', { stream: true }) })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const events = (await response.text()).trimEnd().split('\n\n')
    expect(events.map((event) => event.replace('data: ', '')).at(-1)).toBe('[DONE]')
    expect(JSON.parse(events[0]?.slice(6) ?? '')).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [{ delta: { content: 'A gateway.' }, finish_reason: null }],
    })
    expect(JSON.parse(events[1]?.slice(6) ?? '')).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }] })
  })

  test('lets all else go by', async () => {
    const made = await ready('faq', options)
    for (const body of [chat('What else?'), chat([{ text: 'What is it?' }]), '{}']) await made.ask({ body })
    await made.ask({ target: '/v1/embeddings', body: chat('What is it?') })
    expect(made.sent.map(({ isOriginal }) => isOriginal)).toEqual([true, true, true, true])
  })
})

describe('model-by-length', () => {
  test('chooses for "auto" by the length of what is asked', async () => {
    for (const [length, model] of [
      [5, 'small'],
      [60, 'large'],
    ] as const) {
      const made = await ready('model-by-length', { short: 'small', long: 'large', long_from: 60 })
      await made.ask({ body: chat('x'.repeat(length), { model: 'auto' }) })
      expect(await sentBy(made)).toMatchObject({ model })
    }
    const made = await ready('model-by-length')
    await made.ask({ body: '{"model":"auto"}' })
    expect(await sentBy(made)).toEqual({ model: 'gpt-4o-mini' })
  })

  test('leaves other models and endpoints alone', async () => {
    const made = await ready('model-by-length')
    await made.ask({ body: chat('a') })
    await made.ask({ target: '/v1/embeddings', body: '{"model":"auto"}' })
    expect(made.sent.map(({ isOriginal }) => isOriginal)).toEqual([true, true])
  })
})

describe('phrase-guard', () => {
  const options = { phrases: ['secret plan', 'Password'] }

  async function guarded(chunks: readonly string[], onCancel?: () => void) {
    const made = await ready('phrase-guard', options, () => eventStream(chunks, onCancel))
    return { made, text: await (await made.ask()).text() }
  }

  test('ends the stream before a phrase gets out that comes in pieces, and the upstream’s answer with it', async () => {
    let isCancelled = false
    const { text, made } = await guarded(
      [chunk('Here is the se'), chunk('cret'), chunk(' pl'), chunk('an: attack'), chunk('more')],
      () => {
        isCancelled = true
      },
    )
    expect(text).not.toContain('Here')
    expect(text).not.toContain('cret')
    expect(text).toContain('"finish_reason":"content_filter"')
    expect(text).toEndWith('data: [DONE]\n\n')
    expect(isCancelled).toBe(true)
    expect(made.lines[0]).toMatchObject({ level: 'warn', fields: { phrase: 'secret plan' } })
  })

  test('lets what only began like a phrase go on, byte for byte and in order', async () => {
    const chunks = [chunk('A se'), chunk('cond PASS'), chunk('age'), chunk('pass'), 'data: [DONE]\n\n']
    expect((await guarded(chunks)).text).toBe(chunks.join(''))
    // What keeps a connection alive does not wait for what is held back.
    expect((await guarded([...chunks.slice(0, 1), ': ping\n\n', ...chunks.slice(1)])).text).toBe(
      `: ping\n\n${chunks.join('')}`,
    )
    expect((await guarded(chunks.slice(0, -1))).text).toBe(chunks.slice(0, -1).join(''))
  })

  test('holds nothing back that begins no phrase', async () => {
    const open = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => controller.enqueue(new TextEncoder().encode(chunk('Hello'))),
        pull: () => open.promise,
      },
      { highWaterMark: 0 },
    )
    const answer = () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const reader = (await (await ready('phrase-guard', options, answer)).ask()).body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(chunk('Hello'))
    await reader?.cancel()
    open.resolve()
  })

  test('watches each choice by itself', async () => {
    const chunks = [chunk('secret ', 0), chunk('plan', 1), chunk('x', 0)]
    expect((await guarded(chunks)).text).toBe(chunks.join(''))
    expect((await guarded([chunk('pass', 0), chunk('a', 1), chunk('word', 0)])).text).toContain('content_filter')
  })

  test('lets other answers go by untouched', async () => {
    const answer = Response.json({ choices: [] })
    const made = await ready('phrase-guard', options, () => answer)
    expect(await made.ask()).toBe(answer)
    const stream = eventStream([])
    const other = await ready('phrase-guard', options, () => stream)
    expect(await other.ask({ target: '/v1/responses' })).toBe(stream)
  })
})

describe('usage-csv', () => {
  /** The lines of the file, without their times. */
  function linesOf(file: string): string[] {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    return lines.map((line) => line.slice(line.indexOf(',') + 1))
  }

  test('writes a line for an answer, and for a stream; what the caller gets is untouched', async () => {
    const file = join(folder, 'usage.csv')
    const whole = await ready('usage-csv', { file }, () =>
      Response.json({ model: '=m"1', usage: { prompt_tokens: 3, completion_tokens: 4 } }),
    )
    expect(await (await whole.ask()).json()).toMatchObject({ usage: { prompt_tokens: 3 } })
    await whole.chain.settle()
    const chunks = [
      chunk('a'),
      'data: {"model":"m2","usage":null}\n\n',
      'data: {"response":{"model":"m2","usage":{"input_tokens":1,"output_tokens":2}}}\n\n',
    ]
    const streamed = await ready('usage-csv', { file }, () => eventStream(chunks))
    expect(await (await streamed.ask({ target: '/v1/responses' })).text()).toBe(chunks.join(''))
    await streamed.chain.settle()
    expect(linesOf(file)).toEqual(['req_1,token-1,chat/completions,"=m""1",3,4', 'req_1,token-1,responses,m2,1,2'])
  })

  test('lets errors and other answers go by; one without a usage writes nothing', async () => {
    const file = join(folder, 'none.csv')
    for (const answer of [new Response('no', { status: 500 }), new Response('a'), Response.json({})]) {
      const made = await ready('usage-csv', { file }, () => answer)
      expect((await made.ask()).status).toBe(answer.status)
      await made.chain.settle()
      expect(made.lines).toEqual([])
    }
    expect(readdirSync(folder)).not.toContain('none.csv')
  })
})
