import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { errorOf, refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const to = (upstream: string, model?: string) => ({ targets: [{ upstream, ...(model !== undefined && { model }) }] })

test('an alias becomes the upstream’s name in the body, and no other byte changes', async () => {
  const { chat, upstreams } = await start({
    upstreams: { only: answerOk },
    file: { models: { smart: to('only', 'gpt-4o "x"') } },
  })
  const body =
    '{ "seed": 90071992547409931,"messages":[ {"content":"\\u0068i","role":"user"}],\r\n"model" :\t"smart" , "n": 1.0,"user":"smart" }'
  for (const path of ['/v1/chat/completions', '/v1/responses', '/embeddings', '/v1/things/new']) {
    expect((await chat(body, {}, path)).status).toBe(200)
    const expected = body.replace('"model" :\t"smart"', '"model" :\t"gpt-4o \\"x\\""')
    expect(await lastBody(upstreams.only)).toBe(expected)
    expect(lastRequest(upstreams.only).header('content-length')).toBe(String(Buffer.byteLength(expected)))
  }
  const escaped = body.replace('"model" :\t"smart"', '"mod\\u0065l":"sm\\u0061rt"')
  await chat(escaped)
  expect(await lastBody(upstreams.only)).toBe(escaped.replace('"sm\\u0061rt"', '"gpt-4o \\"x\\""'))
})

test('a name that stays the same, or that no entry fits, leaves the body as it came, encoded or not', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { models: { smart: to('only'), same: to('only', 'same') } },
  })
  for (const model of ['smart', 'same', 'unknown']) {
    const body = `{"model" : "${model}" ,"messages":${JSON.stringify(MESSAGES)}}`
    await gateway.chat(body)
    expect(await lastBody(gateway.upstreams.only)).toBe(body)
    const encoded = Bun.gzipSync(Buffer.from(body))
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    await fetch(`${gateway.url}/v1/responses`, { method: 'POST', headers, body: encoded })
    expect(Buffer.from(await lastRequest(gateway.upstreams.only).body).equals(encoded)).toBe(true)
  }
})

test('rules look at the name that the caller uses, and both change the same body', async () => {
  const { chat, upstreams } = await start({
    upstreams: { only: answerOk },
    file: {
      models: { smart: to('only', 'gpt-4o') },
      params: [
        { match: { model: 'smart' }, clamp: { max_tokens: { max: 5 } }, defaults: { temperature: 0 } },
        { match: { model: 'gpt-4o' }, deny: ['max_tokens'] },
      ],
    },
  })
  await chat('{"max_tokens": 10, "model": "smart", "messages":[]}', {}, '/v1/responses')
  expect(await lastBody(upstreams.only)).toBe('{"temperature":0,"max_tokens": 5, "model": "gpt-4o", "messages":[]}')
})

test('an exact name goes before a wildcard, the longest wildcard before the others, whatever their order', async () => {
  const { chat, upstreams } = await start({
    upstreams: { a: answerAs('a'), b: answerAs('b'), c: answerAs('c'), d: answerAs('d') },
    file: {
      models: {
        '*': to('a'),
        'gpt-*': to('b'),
        'groq/*': to('c', '*'),
        'gpt-4o-*': to('d', 'deployed-*-v1'),
        'gpt-4o-exact': to('a', 'chosen'),
        '*-ft': to('d', 'ft:*'),
      },
    },
  })
  for (const [model, by, sent] of [
    ['gpt-4o-exact', 'a', 'chosen'],
    ['gpt-4o-mini', 'd', 'deployed-mini-v1'],
    ['gpt-4', 'b', 'gpt-4'],
    ['gpt-', 'b', 'gpt-'],
    ['groq/llama-3/x', 'c', 'llama-3/x'],
    ['my-ft', 'd', 'ft:my'],
    ['anything', 'a', 'anything'],
  ] as const) {
    for (const path of ['/v1/chat/completions', '/v1/embeddings']) {
      expect([model, await (await chat({ model }, {}, path)).json()]).toMatchObject([model, { by }])
      expect(JSON.parse(await lastBody(upstreams[by]))).toMatchObject({ model: sent })
    }
  }
})

test('an unknown model goes to the default upstream, the first where none is named', async () => {
  for (const [file, expected] of [
    [{}, 'a'],
    [{ default_upstream: 'b' }, 'b'],
  ] as const) {
    const { chat } = await start({
      upstreams: { a: answerAs('a'), b: answerAs('b') },
      file: { ...file, models: { smart: to(expected === 'a' ? 'b' : 'a') } },
    })
    for (const path of ['/v1/chat/completions', '/v1/responses']) {
      expect(await (await chat({ model: 'other' }, {}, path)).json()).toMatchObject({ by: expected })
    }
  }
})

test('unknown_models: refuse answers OpenAI’s 404, and nothing goes upstream', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { unknown_models: 'refuse', models: { 'gpt-*': to('only') } },
  })
  const error = {
    message: 'The model `other` does not exist or you do not have access to it.',
    type: 'invalid_request_error',
    param: null,
    code: 'model_not_found',
  }
  for (const path of [
    '/v1/chat/completions',
    '/v1/completions',
    '/v1/responses',
    '/v1/embeddings',
    '/v1/audio/speech',
  ]) {
    expect(await errorOf(await gateway.chat({ model: 'other', prompt: 'x' }, {}, path))).toEqual([404, error])
  }
  expect(await errorOf(await fetch(`${gateway.url}/v1/models/other`))).toEqual([404, error])
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  expect((await gateway.chat({ model: 'gpt-4o' })).status).toBe(200)
})

test('a model that is named twice is refused where models decide, and is nobody’s business where they don’t', async () => {
  const body = `{"model":"cheap","messages":${JSON.stringify(MESSAGES)},"model":"dear"}`
  const decided = await start({ upstreams: { only: answerOk }, file: { models: { cheap: to('only') } } })
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    for (const text of [body, body.replace('"model":"dear"', '"m\\u006fdel":"dear"')]) {
      const refused = await refusalOf(decided.port, postText(path, text))
      expect(refused).toEqual({ status: 400, param: 'model', code: 'rules_not_applicable' })
    }
  }
  expect(decided.upstreams.only.requests).toHaveLength(0)
  const plain = await start({ upstreams: { only: answerOk }, file: {} })
  expect((await sendRaw(plain.port, postText('/v1/chat/completions', body))).status).toBe(200)
  expect(await lastBody(plain.upstreams.only)).toBe(body)
})

test('a model under a name that only some upstreams take for it is refused where models decide', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { unknown_models: 'refuse', models: { cheap: to('only') } },
  })
  const messages = JSON.stringify(MESSAGES)
  for (const [body, param] of [
    [`{"model":"cheap","Model":"dear","messages":${messages}}`, 'model'],
    [`{"MODEL":"dear","messages":${messages}}`, 'MODEL'],
  ] as const) {
    const refused = await refusalOf(gateway.port, postText('/v1/responses', body))
    expect(refused).toEqual({ status: 400, param, code: 'rules_not_applicable' })
    expect((await refusalOf(gateway.port, postText('/v1/chat/completions', body))).status).toBe(400)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a form’s alias becomes the upstream’s name in its field, and the file goes on byte for byte', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { models: { hear: to('only', 'whisper-large-v3') } },
  })
  const part = (name: string, text: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
  const file = part('file"; filename="hear.wav', '\u0000\u00ff\r\n--\r\nhear\r\n\r\n')
  for (const path of ['/v1/audio/transcriptions', '/v1/audio/translations', '/v1/images/edits']) {
    const form = `${part('prompt', 'hear')}${file}${part('model', 'hear')}--b--\r\n`
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const response = await fetch(gateway.url + path, { method: 'POST', headers, body: Buffer.from(form, 'latin1') })
    expect(response.status).toBe(200)
    const request = lastRequest(gateway.upstreams.only)
    const expected = `${part('prompt', 'hear')}${file}${part('model', 'whisper-large-v3')}--b--\r\n`
    expect(Buffer.from(await request.body).toString('latin1')).toBe(expected)
    expect(request.header('content-length')).toBe(String(expected.length))
  }
  const form = new FormData()
  form.set('file', new File(['abc'], 'ünï "c".wav', { type: 'audio/wav' }))
  form.set('model', 'hear')
  expect((await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form })).status).toBe(200)
  expect(await lastBody(gateway.upstreams.only)).toContain('\r\n\r\nwhisper-large-v3\r\n')
})

test('a form that names its model twice is refused where models decide', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, file: { models: { hear: to('only') } } })
  const part = (text: string): string => `--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n${text}\r\n`
  const form = `${part('dear')}${part('hear')}--b--\r\n`
  const bytes = postText('/v1/audio/transcriptions', form, { 'Content-Type': 'multipart/form-data; boundary=b' })
  const refused = await refusalOf(gateway.port, bytes)
  expect(refused).toEqual({ status: 400, param: 'model', code: 'rules_not_applicable' })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('unknown_models: refuse is not got past by a body that says it is no JSON', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { unknown_models: 'refuse', models: { 'gpt-*': to('only') } },
  })
  for (const path of ['/v1/embeddings', '/v1/Responses', '/v1/audio/transcriptions', '/v1//images/generations']) {
    for (const type of ['application/octet-stream', 'multipart/mixed; boundary=b', 'x/y']) {
      const refused = await refusalOf(gateway.port, postText(path, '{"model":"other"}', { 'Content-Type': type }))
      expect(refused).toMatchObject({ status: 400, code: 'rules_not_applicable' })
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  const upload = postText('/v1/uploads/upload_1/parts', 'bytes', { 'Content-Type': 'application/octet-stream' })
  expect((await sendRaw(gateway.port, upload)).status).toBe(200)
})

test('weights share the requests out, roughly', async () => {
  const { chat, upstreams } = await start({
    upstreams: { a: answerAs('a'), b: answerAs('b') },
    file: {
      models: {
        smart: {
          targets: [
            { upstream: 'a', weight: 4 },
            { upstream: 'b', weight: 1 },
          ],
        },
      },
    },
  })
  for (let calls = 0; calls < 200; calls += 1) await chat({ model: 'smart' })
  expect(upstreams.a.requests.length + upstreams.b.requests.length).toBe(200)
  // Of 200 draws with a chance of 1 in 5, fewer than 12 or more than 75 come once in ten million times.
  expect(upstreams.b.requests.length).toBeGreaterThan(11)
  expect(upstreams.b.requests.length).toBeLessThan(76)
})
