import { expect, test } from 'bun:test'
import { deflateSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const PATHS = ['/v1/chat/completions', '/v1/responses', '/v1/completions'] as const
const BODY = '{"model":"m","prompt":"x","messages":[{"role":"user","content":"hi"}],"max_tokens":5}'
/** What each of them decides about the body; the last one by where it goes alone. */
const DECIDING = {
  'a rule': { params: [{ clamp: { max_tokens: { max: 9 } } }] },
  'a list of models': { unknown_models: 'refuse', models: { m: { targets: [{ upstream: 'only' }] } } },
  'a model’s own target': { models: { m: { targets: [{ upstream: 'only' }] } } },
}

function typed(type: string, body: string = BODY, path: string = PATHS[0]): string {
  return postText(path, body, { 'Content-Type': type })
}

test.each(Object.entries(DECIDING))('where %s decides, a body is read in UTF-8 or not at all', async (_who, file) => {
  const gateway = await start({ upstreams: { only: answerOk }, file })
  for (const type of [
    'application/json; charset=utf-7',
    'application/json;charset=UTF-16LE',
    'Application/JSON; Charset="utf-16"',
    'application/json; charset=cp037',
    'application/json; charset=utf-8; charset=utf-7',
    'application/json; charset=utf-7; charset=utf-8',
    "application/json; charset*=utf-8''utf-7",
    'application/json; charset*0=utf-; charset*1=7',
    'application/json; x="; charset=utf-7',
    'application/json; x="\\"; charset=utf-7; y="\\""',
    'application/json, application/json; charset=utf-7',
    'application/json charset=utf-7',
    'application/json; charset=',
    'application/problem+json; charset=shift_jis',
    'text/plain; charset=iso-2022-jp',
    'application/x-www-form-urlencoded; charset=hz',
  ]) {
    for (const path of PATHS) {
      const refusal = await refusalOf(gateway.port, typed(type, BODY, path))
      expect([type, path, refusal]).toEqual([type, path, { status: 400, param: null, code: 'rules_not_applicable' }])
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test.each(Object.entries(DECIDING))('where %s decides, all that is UTF-8 goes on as it came', async (_who, file) => {
  const gateway = await start({ upstreams: { only: answerOk }, file })
  const accented = BODY.replace('hi', 'h\u00ef')
  for (const [type, body] of [
    ['application/json', accented],
    ['application/json; charset=utf-8', accented],
    ['application/json;charset="UTF-8"', accented],
    ['application/json; charset=UTF8;', accented],
    ['application/json; charset=utf-8; charset=utf-8', accented],
    ['application/json; profile="a;b"; charset=utf-8', accented],
    ['application/json; odata=verbose', accented],
    ['application/json; charset=ISO-8859-1', BODY],
    ['application/json; charset=us-ascii', BODY],
    ['text/plain; charset=windows-1252', BODY],
    ['', accented],
  ] as const) {
    for (const path of PATHS) {
      expect([type, (await sendRaw(gateway.port, typed(type, body, path))).status]).toEqual([type, 200])
      expect(await lastBody(gateway.upstreams.only)).toBe(body)
    }
  }
  const refusal = await refusalOf(gateway.port, typed('application/json; charset=ISO-8859-1', accented))
  expect(refusal).toMatchObject({ status: 400, code: 'rules_not_applicable' })
})

test('where nothing decides, every charset is the server’s to read', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, file: {} })
  for (const type of ['application/json; charset=utf-7', 'application/json; charset=utf-16']) {
    expect((await sendRaw(gateway.port, typed(type))).status).toBe(200)
    expect(lastRequest(gateway.upstreams.only).header('content-type')).toBe(type)
    expect(await lastBody(gateway.upstreams.only)).toBe(BODY)
  }
})

test('JSON by the name of a form is refused where a form’s reader would find a parameter of a rule, or the model', async () => {
  const file = { ...DECIDING['a list of models'], ...DECIDING['a rule'] }
  const gateway = await start({ upstreams: { only: answerOk }, file })
  const form = (content: string) =>
    typed('application/x-www-form-urlencoded', BODY.replace('hi', content), '/v1/responses')
  for (const [content, param] of [
    ['&model=dear&x=', 'model'],
    ['&mod%65l[]=dear', 'model[]'],
    ['&Model.x=dear', 'Model.x'],
    ['&engine=dear&', 'engine'],
    [';models[]=dear', 'models[]'],
    ['a;max_tokens=5000;', 'max_tokens'],
    ['a&max.tokens=5000', 'max.tokens'],
    ['a&[max_tokens]=5000', '[max_tokens]'],
  ] as const) {
    expect(await refusalOf(gateway.port, form(content))).toEqual({ status: 400, param, code: 'rules_not_applicable' })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  for (const content of [
    'R&D is fun',
    'a=b&c=d; e',
    '[x] & (y) %',
    'mode&remote=1',
    'this & the best model of all = that',
  ]) {
    expect((await sendRaw(gateway.port, form(content))).status).toBe(200)
  }
})

test('a parameter of a rule, or the model, within __proto__ is refused: copied by JavaScript, it is the body’s', async () => {
  const file = { ...DECIDING['a list of models'], ...DECIDING['a rule'] }
  const gateway = await start({ upstreams: { only: answerOk }, file })
  const post = (name: string, path: string): string =>
    typed('application/json', BODY.replace('{', `{"__proto__":{"${name}":5000},`), path)
  for (const path of PATHS) {
    for (const name of ['max_tokens', 'N_Predict', 'model']) {
      expect(await refusalOf(gateway.port, post(name, path))).toMatchObject({ status: 400, param: `__proto__.${name}` })
    }
    expect(gateway.upstreams.only.requests).toHaveLength(PATHS.indexOf(path))
    expect((await sendRaw(gateway.port, post('x', path))).status).toBe(200)
  }
})

test('where two types are sent, each of them counts', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, file: DECIDING['a rule'] })
  const types = 'application/json\r\nContent-Type: application/x-www-form-urlencoded'
  const body = BODY.replace('hi', '&max_tokens=5000')
  for (const path of PATHS) {
    expect(await refusalOf(gateway.port, typed(types, body, path))).toMatchObject({ status: 400 })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a parameter of a rule in the query is refused: some servers read a query and a body as one', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, file: DECIDING['a rule'] })
  for (const [query, param] of [
    ['max_tokens=5000', 'max_tokens'],
    ['a=1&Max%5FTokens[]=5000', 'Max_Tokens[]'],
    ['a=1;n_predict=5000', 'n_predict'],
  ] as const) {
    for (const path of PATHS) {
      const refusal = await refusalOf(gateway.port, typed('application/json', BODY, `${path}?${query}`))
      expect([query, path, refusal]).toEqual([query, path, { status: 400, param, code: 'rules_not_applicable' }])
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  for (const path of PATHS) {
    expect(
      (await sendRaw(gateway.port, typed('application/json', BODY, `${path}?api-version=1&x=max_tokens`))).status,
    ).toBe(200)
  }
})

test.each(['Model', 'MODEL', 'model[]', 'model[0]', 'model.x', 'mod\u00a0el', '[model]', '_model'])(
  'a form with a field %j is refused where the model decides',
  async (name) => {
    const gateway = await start({
      upstreams: { only: answerOk },
      file: DECIDING['a model’s own target'],
    })
    const head = (field: string, text: string) =>
      `--b\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${text}\r\n`
    const post = (form: string) =>
      refusalOf(
        gateway.port,
        postText('/v1/audio/transcriptions', form, { 'Content-Type': 'multipart/form-data; boundary=b' }),
      )
    for (const form of [
      `${head('model', 'm')}${head(name, 'dear')}--b--\r\n`,
      `${head(name, 'dear')}${head('model', 'm')}--b--\r\n`,
      `${head(name, 'm')}--b--\r\n`,
    ]) {
      expect(await post(form)).toEqual({ status: 400, param: name, code: 'rules_not_applicable' })
    }
    expect(gateway.upstreams.only.requests).toHaveLength(0)
  },
)

test('JSON that names its model in another way is refused where the model decides', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, file: DECIDING['a list of models'] })
  for (const name of ['Model', 'model[]', 'model ', 'mo-del', 'model\\u0000', 'mode\\u200bl', 'm\\u006fdel\\ud800']) {
    const body = BODY.replace('"model":"m"', `"model":"m","${name}":"dear"`)
    for (const path of PATHS) {
      const refusal = await refusalOf(gateway.port, typed('application/json', body, path))
      expect([name, refusal]).toMatchObject([name, { status: 400, param: 'model', code: 'rules_not_applicable' }])
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('what is no JSON is refused where a rule or a list of models decides, however tolerant its server may be', async () => {
  const file = { ...DECIDING['a list of models'], ...DECIDING['a rule'] }
  const gateway = await start({ upstreams: { only: answerOk }, file })
  const utf16 = (mark: string, text: string) => Buffer.from(`${mark}${text}`, 'utf16le')
  for (const body of [
    BODY.replace('"max_tokens":5', '"max_tokens":5 /* , */'),
    BODY.replace('"max_tokens":5', '"max_tokens":NaN'),
    BODY.replace('"max_tokens":5', '"max_tokens":Infinity'),
    BODY.replace('"max_tokens":5', "'max_tokens':5000"),
    BODY.replace('"max_tokens":5', 'max_tokens:5000'),
    BODY.replace('"max_tokens":5', '"max_tokens":5,'),
    BODY.replace('"max_tokens":5', '"max_tokens":0x10'),
    `${BODY}${BODY}`,
    utf16('\ufeff', BODY),
    utf16('', BODY),
    utf16('\ufeff', BODY).swap16(),
    Buffer.from(BODY.replace('max_tokens', 'max\u00c0\u009ftokens'), 'latin1'),
    Buffer.from(BODY.replace('hi', '\u00ff'), 'latin1'),
  ]) {
    for (const path of PATHS) {
      const bytes = Buffer.from(body)
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${bytes.byteLength}\r\n\r\n`
      const { status } = await sendRaw(gateway.port, Buffer.concat([Buffer.from(head), bytes]))
      expect([bytes.toString('latin1'), path, status]).toEqual([bytes.toString('latin1'), path, 400])
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a body in deflate, a name of two formats, goes on decoded where something decides by it', async () => {
  const bytes = deflateSync(BODY)
  for (const [file, isDecoded] of [
    [DECIDING['a rule'], true],
    [DECIDING['a list of models'], true],
    [{}, false],
  ] as const) {
    const gateway = await start({ upstreams: { only: answerOk }, file })
    const headers = { 'content-type': 'application/json', 'content-encoding': 'deflate' }
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body: bytes })
    expect(response.status).toBe(200)
    const request = lastRequest(gateway.upstreams.only)
    expect(request.header('content-encoding')).toBe(isDecoded ? undefined : 'deflate')
    expect(Buffer.from(await request.body).equals(isDecoded ? Buffer.from(BODY) : bytes)).toBe(true)
  }
})

test('a body that can’t be read is refused where a path names an allowed model, too: the body may name another', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, file: DECIDING['a list of models'] })
  const path = '/v1/models/m:generateContent'
  for (const [type, body] of [
    ['application/json', '{"model":"dear",}'],
    ['multipart/form-data; boundary=b', '--b\nContent-Disposition: form-data; name="model"\n\ndear\n--b--'],
    ['application/xml', '<model>dear</model>'],
  ] as const) {
    expect([type, (await sendRaw(gateway.port, typed(type, body, path))).status]).toEqual([type, 400])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  expect((await sendRaw(gateway.port, typed('application/json', '{"contents":[]}', path))).status).toBe(200)
})

test('a list where an object belongs is refused where the models decide: each of its items may name one', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, file: DECIDING['a list of models'] })
  for (const path of ['/v1/embeddings', '/v1/responses', '/v1/things', ...PATHS]) {
    for (const body of ['[{"model":"dear","input":"x"}]', '"model=dear"', '5', 'null']) {
      const { status } = await refusalOf(gateway.port, typed('application/json', body, path))
      expect([path, body, status]).toEqual([path, body, 400])
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test.each(Object.entries(DECIDING))('where %s decides, a form is read in UTF-8 or not at all', async (_who, file) => {
  const gateway = await start({ upstreams: { only: answerOk }, file })
  const form = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
  const post = (more: string): string =>
    typed(`multipart/form-data${more}; boundary=b`, form, '/v1/audio/transcriptions')
  for (const charset of ['utf-7', '"UTF-16"', 'iso-8859-1', 'utf-8; charset=utf-7']) {
    const refusal = await refusalOf(gateway.port, post(`; charset=${charset}`))
    expect([charset, refusal]).toEqual([charset, { status: 400, param: null, code: 'rules_not_applicable' }])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  for (const more of ['', '; charset=utf-8', ';Charset="UTF-8"']) {
    expect([more, (await sendRaw(gateway.port, post(more))).status]).toEqual([more, 200])
  }
})
