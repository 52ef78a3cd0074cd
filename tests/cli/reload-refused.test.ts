import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import type { LogLine } from '../helpers/log-lines.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { makeSelfSigned, type SelfSigned } from '../helpers/self-signed.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const ALICE = 'alice alices-token-0000001\n'

let pair: SelfSigned
let other: SelfSigned
beforeAll(() => {
  pair = makeSelfSigned()
  other = makeSelfSigned()
})
afterAll(() => {
  pair.remove()
  other.remove()
})

let folder = ''
let gateway: TestGateway | undefined
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
  rmSync(folder, { recursive: true, force: true })
})

const YAML =
  'upstreams: { up: { base_url: http://127.0.0.1:1/v1, api_key_file: up-key } }\nparams: [{ drop: [user] }]\n'
const EXTENSION =
  "import { tag } from './part'\nexport default { name: 'tagging', fetch: (request, next) => (tag, next(request)) }\n"
/** The files of a server that reads one of every kind. */
const NAMES = ['cert', 'extension.ts', 'key', 'nexcode.yaml', 'part.ts', 'server-key', 'tokens', 'up-key'] as const
type Name = (typeof NAMES)[number]

/** A server whose every part comes from a file. */
async function start(env: Env = {}) {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-refused-'))
  const file = (name: Name): string => join(folder, name)
  const texts: Readonly<Record<Name, string>> = {
    ...{
      cert: pair.cert,
      key: pair.key,
      tokens: ALICE,
      'server-key': 'sk-the-servers',
      'up-key': 'sk-of-the-upstream',
    },
    ...{ 'nexcode.yaml': YAML, 'extension.ts': EXTENSION, 'part.ts': "export const tag = 'one'\n" },
  }
  for (const name of NAMES) writeFileSync(file(name), texts[name])
  gateway = await startGateway({
    env: {
      ...{ TLS_CERT_FILE: file('cert'), TLS_KEY_FILE: file('key'), OPENAI_API_KEY_FILE: file('server-key') },
      ...{ REQUIRE_AUTH: 'true', API_TOKEN_FILE: file('tokens'), EXTENSIONS: file('extension.ts') },
      ...{ NEXCODE_CONFIG: file('nexcode.yaml'), ...env },
    },
    command: gatewayCommand(),
  })
  return { ...watchReloads(gateway), file }
}

/** The files of a line, without their folder and the variables that name them. */
function namesIn(line: LogLine, field: 'read' | 'refused'): readonly string[] {
  const paths = line[field] as readonly string[] | undefined
  return (paths ?? []).map((path) => basename(path.replace(/ \(.*\)$/, ''))).toSorted()
}

const without = (names: readonly string[]): readonly string[] => NAMES.filter((name) => !names.includes(name))

test('a reload in which all is well lists every file as read, the extensions too, and none as refused', async () => {
  const { hangUp } = await start()
  const line = await hangUp()
  expect(namesIn(line, 'read')).toEqual([...NAMES])
  expect(line).not.toHaveProperty('refused')
})

/** What is taken over with the settings, or not at all. */
const OF_SETTINGS = ['extension.ts', 'nexcode.yaml', 'part.ts', 'server-key', 'up-key']

test.each<[string, Name, string | undefined, readonly string[]]>([
  ['an empty file of tokens', 'tokens', '', ['tokens']],
  ['a file of tokens that is gone', 'tokens', undefined, ['tokens']],
  ["an empty file of the server's key", 'server-key', ' \n', ['server-key']],
  ['a key that is no header', 'server-key', 'sk two words', ['server-key']],
  ['a certificate that is gone', 'cert', undefined, ['cert', 'key']],
  ['a certificate that is none', 'cert', 'no certificate', ['cert', 'key']],
  ['an empty key of the certificate', 'key', '', ['cert', 'key']],
  ['a configuration file that is none', 'nexcode.yaml', 'params: [{ drop: ', OF_SETTINGS],
  ['an empty configuration file', 'nexcode.yaml', '', OF_SETTINGS],
  ['a configuration file that is gone', 'nexcode.yaml', undefined, OF_SETTINGS],
  ['a bad key file that the configuration file names', 'up-key', '', OF_SETTINGS],
  ['a file of an extension with a mistake', 'part.ts', 'export const tag: = 1\n', OF_SETTINGS],
])('%s is listed as refused, with what is taken over together with it, and not as read', async (...row) => {
  const [, name, text, expected] = row
  const { file, hangUp, refused, reloaded } = await start()
  if (text === undefined) unlinkSync(file(name))
  else writeFileSync(file(name), text)
  // Something else has changed, and is taken over.
  const isTokens = name === 'tokens'
  if (!isTokens) writeFileSync(file('tokens'), `${ALICE}bob bobs-token-000000002\n`)
  await hangUp()
  const [bad, good] = [await refused(1), await reloaded(1)]
  // What the configuration file named is not known while it is bad itself.
  const isUnread = name === 'nexcode.yaml'
  const looked = isUnread ? expected.filter((one) => one !== 'up-key') : expected
  expect(namesIn(bad, 'refused')).toEqual([...looked])
  expect(namesIn(good, 'refused')).toEqual([...looked])
  expect(namesIn(good, 'read')).toEqual([...without(expected)])
})

test('a certificate and a key that do not fit are both refused, and what was refused is read once it is good', async () => {
  const { file, refused, reloaded, hangUp } = await start()
  writeFileSync(file('cert'), other.cert)
  await hangUp()
  expect(namesIn(await refused(1), 'refused')).toEqual(['cert', 'key'])
  writeFileSync(file('key'), other.key)
  await hangUp()
  const line = await reloaded(2)
  expect(namesIn(line, 'read')).toEqual([...NAMES])
  expect(line).not.toHaveProperty('refused')
})

test('a file that was cut off while it was written, as on a full disk, is refused until it ends with a line break', async () => {
  const { file, refused, reloaded, hangUp } = await start()
  writeFileSync(file('nexcode.yaml'), YAML.slice(0, YAML.indexOf('\nparams')))
  expect(String((await refused(1))['problems'])).toContain('ends in the midst of a line, which it did not')
  // Nor is it by a second look.
  expect(await hangUp()).toMatchObject({ level: 50 })
  writeFileSync(file('nexcode.yaml'), `${YAML}# whole\n`)
  expect(await reloaded(1)).toMatchObject({ rules: 1 })
})
