import { expect, setDefaultTimeout, test } from 'bun:test'
import { getText, openRawClient, postText, type RawClient, sendRaw } from '../helpers/raw-client.ts'
import { makeSelfSigned } from '../helpers/self-signed.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

setDefaultTimeout(60_000)

const KEY = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

async function openMany(port: number, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = []
  for (let n = 0; n < count; n += 1) clients.push(await openRawClient(port))
  return clients
}

test('beyond MAX_CONNECTIONS those that are idle give way, and a call under way does not', async () => {
  await using gateway = await startGateway({ upstreams: { openai: answerOk }, env: { MAX_CONNECTIONS: '4' } })
  const hold = Promise.withResolvers<void>()
  gateway.upstreams.openai.play(async (_request, { json }) => {
    await hold.promise
    json({ ok: true })
  })
  const busy = await openRawClient(gateway.port)
  busy.write(postText('/v1/chat/completions', CHAT, KEY))
  await gateway.upstreams.openai.request(1)
  const strangers = await openMany(gateway.port, 8)
  await within(AT_ONCE_MS, 'the first to give way', Promise.race(strangers.map(({ closed }) => closed)))
  expect((await sendRaw(gateway.port, getText('/health'))).status).toBe(200)
  hold.resolve()
  expect((await busy.response()).status).toBe(200)
  const warning = await gateway.line(({ connections_max }) => connections_max === 4)
  expect(warning).toMatchObject({ level: 40, msg: expect.stringContaining('MAX_CONNECTIONS') })
  for (const client of [...strangers, busy]) client.leave()
})

test('where all are at work, one that is too many is turned away, and those at work are not touched', async () => {
  await using gateway = await startGateway({ upstreams: { openai: answerOk }, env: { MAX_CONNECTIONS: '2' } })
  const hold = Promise.withResolvers<void>()
  gateway.upstreams.openai.play(async (_request, { json }) => {
    await hold.promise
    json({ ok: true })
  })
  const busy = await openMany(gateway.port, 2)
  for (const client of busy) client.write(postText('/v1/chat/completions', CHAT, KEY))
  await gateway.upstreams.openai.request(2)
  const third = await openRawClient(gateway.port)
  await within(AT_ONCE_MS, 'the newcomer to be turned away', third.closed)
  hold.resolve()
  expect(await Promise.all(busy.map(async (client) => (await client.response()).status))).toEqual([200, 200])
  for (const client of busy) client.leave()
})

test('who connects to a TLS port and says nothing counts, and gives way, too', async () => {
  const tls = makeSelfSigned()
  try {
    await using gateway = await startGateway({
      upstreams: { openai: answerOk },
      env: { MAX_CONNECTIONS: '4', TLS_CERT_FILE: tls.certFile, TLS_KEY_FILE: tls.keyFile },
    })
    const strangers = await openMany(gateway.port, 8)
    await within(AT_ONCE_MS, 'the first to give way', Promise.race(strangers.map(({ closed }) => closed)))
    const answer = await fetch(`${gateway.url}/health`, { tls: { ca: tls.cert } })
    expect(answer.status).toBe(200)
    for (const client of strangers) client.leave()
  } finally {
    tls.remove()
  }
})
