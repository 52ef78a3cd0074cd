import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { openRawClient, postText, type RawClient, sendRaw } from '../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const AUTH = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

let release = Promise.withResolvers<void>()
let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream(async (_request, connection) => {
    await release.promise
    connection.json({ ok: true })
  })
})
afterAll(() => upstream.close())

/** The program under test with so few files that tests can use them up. */
function startWithFewFiles() {
  const command = ['bash', '-c', 'ulimit -n 64; exec "$@"', 'bash', ...gatewayCommand()]
  return startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` }, command })
}

test('strangers who open connections and say nothing keep nobody out, and are one warning', async () => {
  release.resolve()
  const gateway = await startWithFewFiles()
  const strangers: RawClient[] = []
  for (let n = 0; n < 120; n += 1) strangers.push(await openRawClient(gateway.port))
  const answer = await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, AUTH))
  expect(answer.status).toBe(200)
  await gateway.exchange(1)
  expect(gateway.lines.filter(({ level }) => Number(level) >= 40)).toEqual([
    expect.objectContaining({ level: 40, open_files_max: 64, msg: expect.stringContaining('raise ulimit -n') }),
  ])
  for (const stranger of strangers) stranger.leave()
  await gateway.stop()
})

test('more calls than files are refused as an overload of ours, which is one warning and no failure of the upstream', async () => {
  release = Promise.withResolvers()
  const gateway = await startWithFewFiles()
  const clients: RawClient[] = []
  for (let n = 0; n < 34; n += 1) clients.push(await openRawClient(gateway.port))
  for (const client of clients) client.write(postText('/v1/chat/completions', CHAT, AUTH))
  const refused = await gateway.line(({ cause, msg }) => msg === 'exchange' && cause === 'EMFILE')
  expect(refused).toMatchObject({ level: 30, status: 503, error: 'out_of_connections' })
  release.resolve()
  const statuses = await Promise.all(clients.map(async (client) => (await client.response()).status))
  expect(new Set(statuses)).toEqual(new Set([200, 503]))
  await gateway.exchange(clients.length)
  const warnings = gateway.lines.filter(({ msg }) => String(msg).startsWith('no more files'))
  expect(warnings).toEqual([expect.objectContaining({ level: 40, cause: 'EMFILE' })])
  for (const client of clients) client.leave()
  await gateway.stop()
})
