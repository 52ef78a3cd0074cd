import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { perTest } from '../helpers/per-test.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)
const folder = mkdtempSync(join(tmpdir(), 'nexcode-extensions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes an extension of a name of its own, and gives its path. */
function write(name: string, body: string): string {
  const path = join(folder, `${name}.ts`)
  writeFileSync(path, `export default { name: '${name}', async fetch(request, next, context) { ${body} } }\n`)
  return path
}

test('an extension that changes nothing leaves both bodies byte for byte as they are', async () => {
  const path = write('pass', 'return next(request)')
  const gateway = await start({
    upstreams: { one: answerAs('one') },
    file: { extensions: [path] },
  })
  const text = '{ "model" : "m","messages":[{"role":"user","content":"hi"}],"n":1.0, "seed": 9007199254740993 }'
  const answer = await gateway.chat(text)
  expect(await answer.json()).toMatchObject({ by: 'one' })
  expect(new TextDecoder().decode(await gateway.upstreams.one.requests[0]?.body)).toBe(text)
  expect(await gateway.exchange(1)).toMatchObject({ status: 200, attempts: 1, outcome: 'complete', model: 'm' })
})

test('one reads the parsed body and adds a header to the answer; another answers by itself', async () => {
  const mark = write(
    'mark',
    "const body = await context.body(); const response = await next(request); response.headers.set('x-mark', body.model); return response",
  )
  const faq = write(
    'faq',
    "const { messages } = await context.body(); return messages[0].content === 'faq' ? Response.json({ by: 'faq' }) : next(request)",
  )
  const gateway = await start({
    upstreams: { one: answerAs('one') },
    file: { extensions: [mark, faq] },
  })
  const first = await gateway.chat({ model: 'm' })
  expect([first.headers.get('x-mark'), await first.json()]).toMatchObject(['m', { by: 'one' }])
  const second = await gateway.chat({ model: 'm', messages: [{ role: 'user', content: 'faq' }] })
  expect([second.headers.get('x-mark'), await second.json()]).toMatchObject(['m', { by: 'faq' }])
  expect(gateway.upstreams.one.requests).toHaveLength(1)
  expect(await gateway.exchange(2)).toMatchObject({ status: 200, attempts: 0, outcome: 'complete' })
})

test('one that throws is a 500 of our shape and a line of the log; with on_error: skip the request goes on without it', async () => {
  const path = write('broken', "throw new Error('no such luck')")
  const failing = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
  const failed = await failing.chat({ model: 'm' })
  expect([failed.status, await failed.json()]).toMatchObject([500, { error: { code: 'extension_failed' } }])
  const skipping = await start({
    upstreams: { one: answerAs('one') },
    file: { extensions: [{ path, on_error: 'skip' }] },
  })
  expect(await (await skipping.chat({ model: 'm' })).json()).toMatchObject({ by: 'one' })
})
