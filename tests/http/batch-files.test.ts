import { expect, test } from 'bun:test'
import { batchLine, CAP, REFUSING } from '../helpers/batches.ts'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS } from '../helpers/within.ts'

const start = perTest(startGateway)
const ONLY = { upstreams: { only: answerOk } }

function upload(content: string, purpose = 'batch', path = '/v1/files'): string {
  const file = `--b\r\nContent-Disposition: form-data; name="file"; filename="x.jsonl"\r\n\r\n${content}\r\n`
  const field = `--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n--b--\r\n`
  return postText(path, file + field, { 'Content-Type': 'multipart/form-data; boundary=b' })
}

/** What stands in the file that an upstream has got. */
function contentOf(form: string): string {
  return form.split('\r\n\r\n')[1]?.split('\r\n--b')[0] ?? ''
}

test('each line of a batch’s file is under the rules for its own endpoint, and all else stays byte for byte', async () => {
  const gateway = await start({ ...ONLY, file: CAP })
  const big = '{ "model":"a" ,"max_tokens" : 5000}'
  const lines = [
    `\uFEFF{"custom_id":"1", "url":"/v1/chat/completions","body":  ${big}}`,
    '',
    batchLine({ model: 'a', max_tokens: 50, seed: 5 }),
    batchLine({ model: 'b', input: 'x', max_tokens: 5000 }, '/v1/embeddings'),
    `${batchLine({ model: 'é', max_tokens: 101, seed: 2 })}\r`,
  ]
  expect((await sendRaw(gateway.port, upload(lines.join('\n')))).status).toBe(200)
  expect(contentOf(await lastBody(gateway.upstreams.only)).split('\n')).toEqual([
    lines[0]?.replace('5000}', '100}').replace('{ "model"', '{"seed":1, "model"') ?? '',
    ...lines.slice(1, 4),
    lines[4]?.replace('101', '100') ?? '',
  ])
  expect(lastRequest(gateway.upstreams.only).header('content-length')).toBe(
    String(Buffer.byteLength(await lastBody(gateway.upstreams.only))),
  )
})

test('a line that the rules refuse is named, and nothing goes upstream', async () => {
  const gateway = await start({ ...ONLY, file: CAP })
  const fine = batchLine({ model: 'a', seed: 1 })
  for (const [line, param] of [
    [batchLine({ max_tokens: '9' }), 'line 2: max_tokens'],
    [batchLine({ max_tokens: -1 }), 'line 2: max_tokens'],
    ['{"url":"/v1/chat/completions","body":{"max_tokens":999,"max_tokens":1}}', 'line 2: max_tokens'],
    ['{"url":"/v1/chat/completions","body":{"max_tokens":999},"body":{}}', 'line 2: body'],
    ['{"url":"/v1/chat/completions","body":{},"Body":{"max_tokens":999}}', 'line 2: body'],
    ['{"url":"/v1/chat/completions","body":{"x":{"max_tokens":999}}}', 'line 2: x.max_tokens'],
    [batchLine({ max_tokens: 999 }, '/v1/chat//completions'), 'line 2: body'],
    [batchLine({ max_tokens: 999 }, '/v1/Chat/completions'), 'line 2: body'],
    ['{"body":{"max_tokens":999}}', 'line 2: body'],
    ['{"url":"/v1/chat/completions"}', 'line 2: body'],
    ['[{}]', 'line 2: body'],
    ['{"url":', 'line 2: body'],
    [`${fine}\r${batchLine({ max_tokens: 999 })}`, 'line 2: body'],
  ] as const) {
    const refused = await refusalOf(gateway.port, upload(`${fine}\n${line}\n${fine}`))
    expect([line, refused.status, refused.param]).toEqual([line, 400, param])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a line’s model has to be one that may be asked for where the file goes', async () => {
  const gateway = await start({ ...ONLY, file: REFUSING })
  for (const [body, status] of [
    [{ model: 'dear' }, 404],
    [{ model: 'Plain' }, 404],
    [{ model: 'smart' }, 400],
    [{ model: 'plain', models: ['dear'] }, 404],
  ] as const) {
    const refused = await refusalOf(gateway.port, upload(`${batchLine({ model: 'plain' })}\n${batchLine(body)}`))
    expect([body, refused.status]).toEqual([body, status])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  const fine = upload(`${batchLine({ model: 'plain' })}\n`)
  expect((await sendRaw(gateway.port, fine)).status).toBe(200)
  expect(fine).toEndWith(await lastBody(gateway.upstreams.only))
})

test('a line that names no model is refused where others than known ones are', async () => {
  const gateway = await start({ ...ONLY, file: REFUSING })
  const lines = [batchLine({ model: 'plain' }), batchLine({ input: 'x' }, '/v1/embeddings')]
  const refused = await refusalOf(gateway.port, upload(lines.join('\n')))
  expect(refused).toEqual({ status: 400, param: 'line 2: model', code: 'rules_not_applicable' })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a file of another purpose is looked into as far as its lines are calls, and goes on byte for byte where none is', async () => {
  const gateway = await start({ ...ONLY, file: CAP })
  const refused = await refusalOf(gateway.port, upload(batchLine({ max_tokens: 'x' }), 'user_data'))
  expect(refused.status).toBe(400)
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  for (const content of [
    '{"messages":[]}\n{"messages":[]}',
    '%PDF-1.4\n\x00\x01',
    '',
    `text\n${batchLine({ max_tokens: 'x' })}`,
  ]) {
    const bytes = upload(content, 'fine-tune')
    expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
    expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
  }
})

test('an upload that can’t be read is refused where it may be a batch’s to others, and so is one that is too large', async () => {
  const gateway = await start({ ...ONLY, file: CAP, env: { MAX_JSON_BYTES: '100000' } })
  const bad = { 'Content-Type': 'multipart/form-data; boundary=b' }
  const form = upload(batchLine({ max_tokens: 999 }))
    .split('\r\n\r\n')
    .slice(1)
    .join('\r\n\r\n')
  for (const bytes of [
    postText('/v1/files', form.replace('\r\n', '\n'), bad),
    postText('/v1/files', form, { ...bad, 'Content-Encoding': 'x' }),
    postText('/v1/files', form.replace('\r\n', '\n'), { 'Content-Type': 'multipart/mixed; boundary=b' }),
  ]) {
    expect((await refusalOf(gateway.port, bytes)).status).toBe(400)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  const filler = 'x'.repeat(200_000)
  expect((await sendRaw(gateway.port, upload(filler))).status).toBe(413)
  const large = upload(filler, 'vision')
  expect((await sendRaw(gateway.port, large)).status).toBe(200)
  expect(large.endsWith(await lastBody(gateway.upstreams.only))).toBe(true)
})

test('a batch’s file that comes in parts is refused', async () => {
  for (const file of [CAP, REFUSING]) {
    const gateway = await start({ ...ONLY, file })
    const asked = (purpose: string): string =>
      postText('/v1/uploads', JSON.stringify({ purpose, filename: 'x', bytes: 1 }))
    expect(await refusalOf(gateway.port, asked('batch'))).toMatchObject({ status: 400, param: 'purpose' })
    expect(gateway.upstreams.only.requests).toHaveLength(0)
    expect((await sendRaw(gateway.port, asked('vision'))).status).toBe(200)
  }
})

test('where nothing restricts the calls of a batch, its file is not looked into', async () => {
  for (const file of [
    {},
    { models: REFUSING.models },
    { params: [{ match: { endpoint: 'audio/*' }, deny: ['user'] }] },
  ]) {
    const gateway = await start({ ...ONLY, file })
    const bytes = upload('no call\n{"body":1}')
    expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
    expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
  }
})

test('a large file is looked into while others are served', async () => {
  const gateway = await start({ ...ONLY, file: CAP })
  const lines = Array.from({ length: 10_000 }, () => batchLine({ model: 'a', max_tokens: 5000, messages: [] })).join(
    '\n',
  )
  const sending = sendRaw(gateway.port, upload(lines))
  const waits: number[] = []
  let isDone = false
  const done = sending.finally(() => {
    isDone = true
  })
  while (!isDone) {
    const before = performance.now()
    expect((await gateway.chat({ model: 'm', seed: 1 }, {}, '/v1/embeddings')).status).toBe(200)
    waits.push(performance.now() - before)
  }
  expect((await done).status).toBe(200)
  expect(Math.max(...waits)).toBeLessThan(AT_ONCE_MS)
  const form = gateway.upstreams.only.requests.find(({ target }) => target === '/v1/files')
  const content = contentOf(Buffer.from((await form?.body) ?? []).toString())
  expect(content.split('\n').every((line) => line.includes('"max_tokens":100,'))).toBe(true)
})
