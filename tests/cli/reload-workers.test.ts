import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { childrenOf } from '../helpers/child-processes.ts'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, type RawClient } from '../helpers/raw-client.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { type RunningProgram, startProgram } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { connectToEach } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream((request, connection) =>
    connection.json({ tag: request.header('x-tag') ?? null }),
  )
})
afterAll(() => upstream.close())

let file: ConfigFile | undefined
let gateway: TestGateway | undefined
let program: RunningProgram | undefined
afterEach(async () => {
  await gateway?.stop()
  await program?.stop()
  file?.remove()
  gateway = program = undefined
})

const tagged = (tag: string): string =>
  JSON.stringify({ upstreams: { up: { base_url: `${upstream.url}/v1`, headers: { 'x-tag': tag } } } })

/** The tag that the worker at the other end of a connection sends. */
async function tagOf(client: RawClient): Promise<string> {
  const before = client.received().length
  client.write(getText('/v1/models'))
  const received = await client.until((all) => /\{"tag":"[^"]*"\}/.test(all.subarray(before).toString()))
  return /\{"tag":"([^"]*)"\}/.exec(received.subarray(before).toString())?.[1] ?? ''
}

test('with WORKERS=2 both go by the new file, also for connections that are open; so does one that is started later', async () => {
  file = writeConfigFile(tagged('old'))
  gateway = await startGateway({
    env: { NEXCODE_CONFIG: file.path, WORKERS: '2', LOG_LEVEL: 'debug' },
    command: gatewayCommand(),
  })
  const { hangUp, counts } = watchReloads(gateway)
  const clients = await connectToEach(gateway)
  for (const client of clients.values()) expect(await tagOf(client)).toBe('old')

  file.write(tagged('new'))
  expect(await hangUp()).toMatchObject({ msg: 'configuration reloaded (SIGHUP)' })
  // The supervisor has told them by now; each hears it in its own time.
  for (const client of clients.values()) while ((await tagOf(client)) !== 'new');

  const [pid = 0] = childrenOf(gateway.child?.pid ?? 0)
  process.kill(pid, 'SIGKILL')
  await gateway.line(({ msg }) => msg === 'a worker is up again')
  const again = await connectToEach(gateway)
  expect(again.size).toBe(2)
  for (const client of again.values()) expect(await tagOf(client)).toBe('new')
  expect(counts()).toEqual({ reloaded: 1, refused: 0 })
})

test('while the workers start, SIGHUP ends nothing, and a change of the file is not missed', async () => {
  file = writeConfigFile(tagged('at the start'))
  const env = { HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', WORKERS: '2' }
  program = startProgram(['--config', file.path], env)
  // The supervisor has read the file by the time that it has a child.
  while (childrenOf(program.child.pid).length === 0) await Bun.sleep(2)
  program.child.kill('SIGHUP')
  await program.until('configuration reloaded (SIGHUP)')
  file.write(tagged('meanwhile'))
  await program.until('configuration reloaded (the file has changed)')
  const output = await program.until('"listening"')
  const port = Number(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(output)?.[1])
  const client = await openRawClient(port)
  while ((await tagOf(client)) !== 'meanwhile');
  client.leave()
})
