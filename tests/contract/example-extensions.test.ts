import { afterAll, afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { loadExtensions } from '../../src/extensions/load/load-extensions.ts'
import { EXAMPLES } from '../helpers/examples.ts'
import { lastBody } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'nexcode-usage-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let gateway: TestGateway<'one'> | undefined
const tried = new Set<string>()
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
})

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'real' }
const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

/** Plays OpenAI: says `words` one by one, or as a whole; moderation flags what has "attack" in it. */
function saying(...words: readonly string[]): Script {
  return async (request, connection) => {
    const text = Buffer.from(await request.body).toString()
    if (request.target === '/v1/moderations') {
      return connection.json({ id: 'modr-1', model: 'omni', results: [{ flagged: text.includes('attack') }] })
    }
    if (!text.includes('"stream":true')) {
      const choices = [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: 'stop' }]
      return connection.json({ ...CHUNK, object: 'chat.completion', choices, usage: USAGE })
    }
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    for (const content of words) {
      connection.chunk(`data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta: { content } }] })}\n\n`)
    }
    connection.chunk(`data: ${JSON.stringify({ ...CHUNK, choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`)
    connection.endChunks()
  }
}

/** Starts a gateway with one of the ready extensions, and gives the official client of it. */
async function start(name: string, options: object = {}, upstream: Script = saying('Hello', ' there')) {
  tried.add(`${name}.ts`)
  const path = join(EXAMPLES, 'extensions', `${name}.ts`)
  const started = await startGateway({ upstreams: { one: upstream }, file: { extensions: [{ path, options }] } })
  gateway = started
  const client = new OpenAI({ baseURL: `${started.url}/v1`, apiKey: 'sk-mine', maxRetries: 0 })
  const ask = (content: string, model = 'm') =>
    client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
  const stream = async (content: string): Promise<{ text: string; ends: unknown[] }> => {
    const chunks = await Array.fromAsync(
      await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }], stream: true }),
    )
    const choices = chunks.flatMap((chunk) => chunk.choices)
    const ends = choices.map((choice) => choice.finish_reason).filter((reason) => typeof reason === 'string')
    return { text: choices.map(({ delta }) => delta.content ?? '').join(''), ends }
  }
  const { one } = started.upstreams
  return { ...started, one, client, ask, stream, sent: async () => JSON.parse(await lastBody(one)) as unknown }
}

test('system-prompt: everybody’s conversation begins with it', async () => {
  const { ask, sent } = await start('system-prompt', { prompt: 'Be kind.' })
  expect((await ask('hi')).choices[0]?.message.content).toBe('Hello there')
  expect(await sent()).toEqual({ model: 'm', messages: [{ role: 'system', content: 'Be kind.' }, ...MESSAGES] })
})

test('mask-personal-data: neither an address nor a card number leaves, by any endpoint', async () => {
  const { ask, client, sent, one } = await start('mask-personal-data')
  await ask('I am ann@example.org, card 4111 1111 1111 1111')
  expect(await sent()).toMatchObject({ messages: [{ content: 'I am [e-mail], card [card]' }] })
  await client.responses.create({ model: 'm', input: 'ann@example.org' }).catch(() => undefined)
  expect(await sent()).toMatchObject({ input: '[e-mail]' })
  expect(one.requests).toHaveLength(2)
})

test('moderation-gate: what is flagged is refused, what is not goes on, and a verdict is kept', async () => {
  const { ask, one } = await start('moderation-gate')
  await ask('hi')
  await ask('hi')
  const refused = await ask('attack').catch((error: unknown) => error)
  expect(refused).toMatchObject({ status: 400, code: 'content_flagged', param: 'messages' })
  const targets = one.requests.map(({ target }) => target.replace('/v1/', ''))
  expect(targets).toEqual(['moderations', 'chat/completions', 'chat/completions', 'moderations'])
})

test('faq: a known question is answered with no upstream, as a whole and as a stream', async () => {
  const { ask, stream, one, exchange } = await start('faq', { answers: { 'Are you open?': 'Yes.' } })
  expect((await ask('are  you OPEN')).choices[0]?.message.content).toBe('Yes.')
  expect(await stream('Are you open?')).toEqual({ text: 'Yes.', ends: ['stop'] })
  expect(one.requests).toHaveLength(0)
  expect((await ask('hi')).choices[0]?.message.content).toBe('Hello there')
  expect(await exchange(2)).toMatchObject({ status: 200, attempts: 0, outcome: 'complete' })
})

test('model-by-length: "auto" becomes the model for its length, and others stay', async () => {
  const { ask, sent } = await start('model-by-length', { short: 'small', long: 'large', long_from: 500 })
  const models: unknown[] = []
  for (const [content, model] of [
    ['hi', 'auto'],
    ['x'.repeat(500), 'auto'],
    ['hi', 'own'],
  ] as const) {
    await ask(content, model)
    models.push(((await sent()) as { model: unknown }).model)
  }
  expect(models).toEqual(['small', 'large', 'own'])
})

test('phrase-guard: a phrase in pieces does not get out, and a stream without it is whole', async () => {
  const said = saying('The pass', 'word', ' is', ' open ses', 'ame', ', really')
  const { stream } = await start('phrase-guard', { phrases: ['Open Sesame'] }, said)
  const { text, ends } = await stream('hi')
  expect(text).toStartWith('The password is')
  expect(text).not.toContain('ses')
  expect(ends).toEqual(['content_filter'])
  await gateway?.stop()
  const other = await start('phrase-guard', { phrases: ['abracadabra'] }, said)
  expect((await other.stream('hi')).text).toBe('The password is open sesame, really')
})

test('usage-csv: a line for each answer, as a whole or a stream', async () => {
  const file = join(folder, 'usage.csv')
  const { ask, stream, exchange } = await start('usage-csv', { file })
  await ask('hi')
  await stream('hi')
  await exchange(2)
  const lines = () => readFileSync(file, 'utf8').trim().split('\n')
  // They are written behind the answers.
  while (lines().length < 2) await Bun.sleep(5)
  const ids = [await exchange(1), await exchange(2)].map((line) => line['request_id'])
  for (const [n, line] of lines().entries()) {
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,req_\w+,caller-\w+,chat\/completions,real,3,2$/)
    expect(ids).toContain(line.split(',')[1])
    expect(n).toBeLessThan(2)
  }
})

test('each of them has been tried', () => {
  const all = readdirSync(join(EXAMPLES, 'extensions')).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.d.ts'),
  )
  expect([...tried].toSorted()).toEqual(all.toSorted())
})

test('each whole example of docs/extending.md loads as it stands', async () => {
  const text = readFileSync(new URL('../../docs/extending.md', import.meta.url), 'utf8')
  const examples = [...text.matchAll(/^```ts\n([\s\S]+?)^```$/gm)].map(([, code = '']) => code)
  const settings = examples.map((code, n) => {
    const path = join(folder, `example-${n}.ts`)
    writeFileSync(path, code)
    return { path, onError: 'fail', timeoutMs: 1000 } as const
  })
  const loaded = await loadExtensions(settings)
  expect(loaded.ok ? loaded.extensions.map(({ name }) => name) : loaded.problems).toEqual([
    'hello',
    'tour',
    'team',
    'no-secrets',
  ])
})

test('the tour of docs/extending.md does what it says', async () => {
  const [, , tour = ''] = readFileSync(new URL('../../docs/extending.md', import.meta.url), 'utf8').split('```ts\n')
  const path = join(folder, 'tour.ts')
  writeFileSync(path, tour.split('```')[0] ?? '')
  let asked = 0
  const flaky: Script = async (request, connection) => {
    await request.body
    asked += 1
    connection.json({ by: request.header('x-team') }, asked === 1 ? 503 : 200, { 'x-should-retry': 'false' })
  }
  gateway = await startGateway({ upstreams: { one: flaky }, file: { extensions: [path] } })
  const { chat, upstreams } = gateway
  expect((await chat({ model: 'gpt-5' })).status).toBe(403)
  expect(await (await chat({ model: 'echo' })).json()).toEqual({ object: 'chat.completion', choices: [] })
  expect(await (await chat({ model: 'm' })).json()).toEqual({ by: 'blue', note: 'by tour' })
  const bodies = await Promise.all(upstreams.one.requests.map(async ({ body }) => Buffer.from(await body).toString()))
  expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual(
    Array(2).fill({ messages: [...MESSAGES], model: 'm', temperature: 0 }),
  )
})
