import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)
const REFUSED = { status: 404, param: 'model', code: 'model_not_found' }
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const FORM = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nGPT-4o\r\n--b--\r\n'

/** The same name in other letters, wherever a model may stand. */
const REQUESTS = [
  postText('/v1/chat/completions', '{"model":"GPT-4o","messages":[]}'),
  postText('/v1/chat/completions', '{"model":" gpt-4o","messages":[]}'),
  postText('/v1/embeddings', '{"model":"ｇpt-4o"}'),
  postText('/v1/anything', '{"model":"gpt-4o\\u0000"}'),
  postText('/v1/anything', '{"session":{"model":"GPT-4O"}}'),
  postText('/v1/audio/transcriptions', FORM, { 'Content-Type': 'multipart/form-data; boundary=b' }),
  postText('/v1/deployments/GPT-4o/chat/completions', '{"messages":[]}'),
  postText('/v1/anything?model=gpt-4o%20', '{}'),
  getText('/v1/realtime?model=Gpt-4o', UPGRADE),
]

test('a name that is a known one but for case and blanks is refused wherever it stands', async () => {
  for (const file of [
    { models: { 'gpt-4o': { targets: [{ upstream: 'only' }] }, '*': { targets: [{ upstream: 'only' }] } } },
    { params: [{ match: { model: 'gpt-4o' }, clamp: { max_tokens: { max: 5 } } }] },
  ]) {
    const gateway = await start({ upstreams: { only: answerOk }, file })
    for (const bytes of REQUESTS) expect(await refusalOf(gateway.port, bytes)).toEqual(REFUSED)
    expect(gateway.upstreams.only.requests).toHaveLength(0)
  }
})

test('where no model decides anything, a name is the upstream’s to read', async () => {
  for (const file of [{}, { params: [{ clamp: { temperature: { max: 1 } } }] }]) {
    const gateway = await start({ upstreams: { only: answerOk }, file })
    for (const bytes of REQUESTS.slice(0, 5)) expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
    expect(gateway.upstreams.only.requests).toHaveLength(5)
  }
})
