import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const PAGE = '<html>my report</html>'
const page: Script = async (request, connection) => {
  await request.body
  connection.respond(200, { 'content-type': 'text/html; charset=utf-8' }, PAGE)
}
const ACCEPTS = ['*/*', 'application/json', 'application/json, text/plain, */*', 'text/html']
const CONTENTS = [
  '/v1/files/file-abc/content',
  '/files/file-abc/content',
  '/v1/files/file-abc/content?x=1',
  '/v1/containers/cntr_1/files/cfile_1/content',
  '/v1/videos/video_1/content?variant=thumbnail',
  '/v1/vector_stores/vs_1/files/file-1/content',
  '/v1/skills/skill_1/versions/1/content',
]
/** Without a file, with models, and with a pool of keys, where ids are looked for in answers. */
const FILES = [
  {},
  { file: { models: { smart: { targets: [{ upstream: 'one' }] } }, report_model: 'alias' } },
  { settings: { one: { api_keys: ['sk-a-0123456789', 'sk-b-0123456789'] } } },
] as const

test('the content of a file may be a web page, whatever the client’s Accept names', async () => {
  for (const more of FILES) {
    const gateway = await start({ upstreams: { one: page }, ...more, file: {} })
    for (const target of CONTENTS) {
      for (const accept of ACCEPTS) {
        const answer = await sendRaw(gateway.port, getText(target, { Accept: accept }))
        expect([target, accept, answer.status, answer.text()]).toEqual([target, accept, 200, PAGE])
      }
    }
    const zipped = gzipSync(PAGE)
    gateway.upstreams.one.play((_request, connection) =>
      connection.respond(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }, zipped),
    )
    const answer = await sendRaw(gateway.port, getText('/v1/files/file-1/content', { Accept: 'application/json' }))
    expect([answer.status, answer.body.equals(zipped)]).toEqual([200, true])
  }
})

test('what was said in a recording may be called a page, and so may speech', async () => {
  const gateway = await start({ upstreams: { one: page }, file: {} })
  for (const target of ['/v1/audio/transcriptions', '/v1/audio/translations', '/v1/audio/speech']) {
    const answer = await sendRaw(gateway.port, postText(target, '{"model":"m"}', { Accept: 'application/json' }))
    expect([target, answer.status, answer.text()]).toEqual([target, 200, PAGE])
  }
})

test('a page where an API’s own answer belongs is still a 502', async () => {
  const gateway = await start({ upstreams: { one: page }, file: {} })
  for (const target of ['/v1/files', '/v1/files/content-1', '/v1/models', '/v1/files/file-1']) {
    const answer = await sendRaw(gateway.port, getText(target, { Accept: 'application/json' }))
    expect([target, answer.status]).toEqual([target, 502])
  }
})
