import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeConfigFile } from '../helpers/config-file.ts'
import type { Env } from '../helpers/gateway-under-test.ts'
import { OWN_KEY, type RequestParts } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const [OLD, NEW, BOBS, PLAIN] = [
  'alices-old-token-0001',
  'alices-new-token-0002',
  'bobs-token-000000003',
  'a-token-without-4444',
]
const MODELS = { method: 'GET', target: '/v1/models', body: null } as const

let gateway: TestGateway<'openai'> | undefined
let file: ReturnType<typeof writeConfigFile> | undefined
afterEach(async () => {
  await gateway?.stop()
  file?.remove()
  gateway = file = undefined
})

/** A gateway whose upstream answers all that comes. */
async function startAnswering(env: Env): Promise<TestGateway<'openai'>> {
  const started = await startGateway({ upstreams: { openai: byHand }, env })
  const answer = (): void =>
    void started.upstreams.openai.arrival().then(({ connection }) => {
      connection.json({ object: 'list', data: [] })
      answer()
    })
  answer()
  return started
}

interface Said {
  readonly status: number
  /** What the log calls the caller. */
  readonly principal: unknown
  /** What the debug header does. */
  readonly header: string | undefined
}

async function ask(token: string | undefined, shot: RequestParts = MODELS): Promise<Said> {
  if (gateway === undefined) throw new Error('There is no gateway.')
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const { client, record } = await gateway.send({ ...shot, headers })
  const { status, headers: received } = await client.response()
  const { principal } = await record()
  client.leave()
  return { status, principal, header: received.get('x-nexcode-principal') }
}

test('the log and the debug header say whose token it is, by name and never by place', async () => {
  const env = { REQUIRE_AUTH: 'true', DEBUG_HEADERS: 'true' }
  gateway = await startAnswering({ ...env, API_TOKEN: `alice:${NEW},alice:${OLD},bob:${BOBS},${PLAIN}` })
  for (const [token, name] of [
    [NEW, 'alice'],
    [OLD, 'alice'],
    [BOBS, 'bob'],
  ] as const)
    expect(await ask(token)).toEqual({ status: 200, principal: name, header: name })
  const plain = await ask(PLAIN)
  expect(String(plain.principal)).toMatch(/^token-[0-9a-f]{8}$/)
  await gateway.stop()
  // In another order, and with one less: nobody becomes somebody else.
  gateway = await startAnswering({ ...env, API_TOKEN: `${PLAIN},bob:${BOBS},alice:${NEW}` })
  expect(await ask(PLAIN)).toEqual(plain)
  expect(await ask(BOBS)).toMatchObject({ principal: 'bob' })
})

test('a caller with a key of its own is a short hash of it, and never the key', async () => {
  gateway = await startAnswering({ DEBUG_HEADERS: 'true' })
  const key = OWN_KEY.Authorization.slice('Bearer '.length)
  const mine = await ask(key)
  expect(mine).toEqual({
    status: 200,
    principal: expect.stringMatching(/^caller-[0-9a-f]{8}$/),
    header: String(mine.principal),
  })
  expect(await ask(key)).toEqual(mine)
  expect((await ask('sk-another-key')).principal).not.toBe(mine.principal)
  expect(await ask(undefined)).toMatchObject({ status: 200, principal: 'local' })
})

test('the documented rotation changes nobody else: a rule for bob stays his', async () => {
  file = writeConfigFile('params: [{ match: { principal: bob }, values: { model: [cheap] } }]')
  const tokens = join(dirname(file.path), 'tokens')
  const env = { REQUIRE_AUTH: 'true', API_TOKEN_FILE: tokens, NEXCODE_CONFIG: file.path }
  const dear = { body: '{"model":"dear","messages":[{"role":"user","content":"hi"}]}' }
  for (const list of [`alice ${OLD}\nbob ${BOBS}\n`, `# rotated\nalice ${NEW}\nalice ${OLD}\n\nbob: ${BOBS}\n`]) {
    writeFileSync(tokens, list)
    gateway = await startAnswering(env)
    expect(await ask(BOBS, dear)).toMatchObject({ status: 400, principal: 'bob' })
    expect(await ask(OLD, dear)).toMatchObject({ status: 200, principal: 'alice' })
    await gateway.stop()
  }
})
