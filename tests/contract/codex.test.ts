import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCodexHome, customProvider, ownProvider, prepareCodex } from '../helpers/codex.ts'
import { startSimulatedGateway } from '../helpers/simulated-gateway.ts'
import { gatewayCommand, startGatewayProcess, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const codex = await prepareCodex()
if ('missing' in codex) process.stderr.write(`(skip) the tests with the real Codex: ${codex.missing}\n`)

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

/** A simulated OpenAI behind a plain gateway, which tells what came to it. */
async function startFront() {
  const front = await startSimulatedGateway()
  stops.push(front.close)
  return front
}

async function run(config: string, prompt: string, key?: string) {
  if ('missing' in codex) throw new Error(codex.missing)
  const home = await createCodexHome(codex.executable, config, key)
  stops.push(home.remove)
  return home.run(prompt)
}

/** What came to a gateway, as its log has it, once `count` exchanges have ended. */
async function exchangesOf(gateway: TestGateway, count: number) {
  await gateway.exchange(count)
  return gateway.lines
    .filter(({ msg }) => msg === 'exchange')
    .map(({ method, status, outcome }) => `${String(method)} ${String(status)} ${String(outcome)}`)
}

const HELLO = { code: 0, said: expect.stringMatching(/no model was asked\. You said: “say hello”$/) }

describe.skipIf('missing' in codex)('the real Codex, through the gateway', () => {
  test('has its answer by POST, in one exchange that is complete', async () => {
    const { throughBaseUrl, gateway } = await startFront()
    expect(await run(customProvider(throughBaseUrl), 'say hello')).toMatchObject(HELLO)
    expect(await exchangesOf(gateway, 1)).toEqual(['POST 200 complete'])
  })

  test('asks for one WebSocket where it is refused with 426, and has its answer by POST at once', async () => {
    const { throughBaseUrl, gateway } = await startFront()
    expect(await run(ownProvider(throughBaseUrl), 'say hello')).toMatchObject(HELLO)
    expect(await exchangesOf(gateway, 2)).toEqual([expect.stringMatching(/^GET 426 /), 'POST 200 complete'])
  })

  test('calls a tool of its own where the prompt names one, and tells what it gave', async () => {
    const { throughBaseUrl, gateway } = await startFront()
    const { code, said } = await run(customProvider(throughBaseUrl), 'please use exec_command')
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('The tool exec_command gave: “Chunk ID:') })
    expect(await exchangesOf(gateway, 2)).toEqual(['POST 200 complete', 'POST 200 complete'])
  })
})

describe.skipIf('missing' in codex)('a session of the real Codex with a tool', () => {
  test('is recorded, and replayed in another home, with what its tools say anew blanked', async () => {
    const front = await startFront()
    const folder = await mkdtemp(join(tmpdir(), 'nexcode-codex-cassettes-'))
    stops.push(() => rm(folder, { recursive: true, force: true }))
    if ('missing' in codex) return
    const start = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
      const gateway = await startGatewayProcess(env, [...gatewayCommand(), ...args])
      stops.push(gateway.stop)
      return gateway
    }
    const recorder = await start(['record', '--to', folder], { OPENAI_API_BASE: front.directBaseUrl })
    const recorded = await run(customProvider(`${recorder.url}/v1`), 'please use exec_command')
    recorder.child?.kill('SIGTERM')
    await recorder.child?.exited
    expect(await readdir(folder)).toHaveLength(2)
    const blanks = ['Chunk ID: \\w+', 'Wall time: [\\d.]+ seconds', '/\\S*/nexcode-codex-\\w+', '<current_date>[^<]*']
    const player = await start(['replay', '--from', folder, ...blanks.flatMap((one) => ['--blank', one])], {})
    const replayed = await run(customProvider(`${player.url}/v1`), 'please use exec_command')
    expect(replayed).toMatchObject({ code: 0, said: recorded.said })
    expect(await exchangesOf(player, 2)).toEqual(['POST 200 complete', 'POST 200 complete'])
  })
})
