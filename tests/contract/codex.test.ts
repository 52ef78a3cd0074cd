import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSimulatedServer } from '../../src/cli/simulated-server.ts'
import { createCodexHome, customProvider, ownProvider, prepareCodex } from '../helpers/codex.ts'
import { EXAMPLES, KEY, TOKENS } from '../helpers/examples.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const codex = await prepareCodex()
if ('missing' in codex) process.stderr.write(`(skip) the tests with the real Codex: ${codex.missing}\n`)

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

/** A simulated OpenAI behind a plain gateway, which tells what came to it. */
async function startFront() {
  const front = await startGateway({ upstreams: { openai: 'simulated' } })
  stops.push(front.stop)
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
    const gateway = await startFront()
    expect(await run(customProvider(`${gateway.url}/v1`), 'say hello')).toMatchObject(HELLO)
    expect(await exchangesOf(gateway, 1)).toEqual(['POST 200 complete'])
  })

  test('asks for one WebSocket where it is refused with 426, and has its answer by POST at once', async () => {
    const gateway = await startFront()
    expect(await run(ownProvider(`${gateway.url}/v1`), 'say hello')).toMatchObject(HELLO)
    expect(await exchangesOf(gateway, 2)).toEqual([expect.stringMatching(/^GET 426 /), 'POST 200 complete'])
  })

  test('calls a tool of its own where the prompt names one, and tells what it gave', async () => {
    const gateway = await startFront()
    const { code, said } = await run(customProvider(`${gateway.url}/v1`), 'please use exec_command')
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('The tool exec_command gave: “Chunk ID:') })
    expect(await exchangesOf(gateway, 2)).toEqual(['POST 200 complete', 'POST 200 complete'])
  })
})

describe.skipIf('missing' in codex)('the real Codex with its own provider, which begins with a WebSocket', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const readmeFile = /```yaml\n(upstreams:[\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const example = readFileSync(`${EXAMPLES}one-key-and-a-cap.yaml`, 'utf8')

  test.each([
    ['the README’s own file', readmeFile, undefined],
    ['examples/one-key-and-a-cap.yaml', example, 'defaults=max_output_tokens'],
  ])('works with %s: one handshake, then a POST that the rules have seen', async (_name, text, params) => {
    const simulated = startSimulatedServer({ chunkDelayMs: 0 })
    const base = `${simulated.url}/v1`
    const folder = await mkdtemp(join(tmpdir(), 'nexcode-codex-file-'))
    stops.push(
      async () => simulated.close(),
      () => rm(folder, { recursive: true, force: true }),
    )
    const path = join(folder, 'nexcode.yaml')
    await writeFile(path, text.replace('{ preset: openai,', `{ preset: openai, base_url: "${base}",`))
    const auth = { REQUIRE_AUTH: 'true', API_TOKEN: TOKENS.join(',') }
    const env = { NEXCODE_CONFIG: path, OPENAI_API_KEY: KEY, AZURE_KEY: KEY, OPENAI_BASE_URL: base, ...auth }
    const gateway = await startGateway({ env })
    stops.push(gateway.stop)
    expect(await run(ownProvider(`${gateway.url}/v1`), 'say hello', TOKENS[0])).toMatchObject(HELLO)
    expect(await exchangesOf(gateway, 2)).toEqual([expect.stringMatching(/^GET 426 /), 'POST 200 complete'])
    const posted = gateway.lines.find(({ method, msg }) => msg === 'exchange' && method === 'POST')
    expect(posted).toMatchObject({ model: 'gpt-5.5', ...(params !== undefined && { params }) })
  })
})

describe.skipIf('missing' in codex)('a session of the real Codex with a tool', () => {
  test('is recorded, and replayed in another home, with what its tools say anew blanked', async () => {
    const front = await startFront()
    const folder = await mkdtemp(join(tmpdir(), 'nexcode-codex-cassettes-'))
    stops.push(() => rm(folder, { recursive: true, force: true }))
    if ('missing' in codex) return
    const start = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
      const gateway = await startGateway({ env, command: [...gatewayCommand(), ...args] })
      stops.push(gateway.stop)
      return gateway
    }
    const recorder = await start(['record', '--to', folder], { OPENAI_API_BASE: `${front.upstreams.openai.url}/v1` })
    const recorded = await run(ownProvider(`${recorder.url}/v1`), 'please use exec_command')
    recorder.child?.kill('SIGTERM')
    await recorder.child?.exited
    expect(await readdir(folder)).toHaveLength(2)
    const blanks = ['Chunk ID: \\w+', 'Wall time: [\\d.]+ seconds', '/\\S*/nexcode-codex-\\w+', '<current_date>[^<]*']
    const player = await start(['replay', '--from', folder, ...blanks.flatMap((one) => ['--blank', one])], {})
    const replayed = await run(ownProvider(`${player.url}/v1`), 'please use exec_command')
    expect(replayed).toMatchObject({ code: 0, said: recorded.said })
    const handshake = expect.stringMatching(/^GET 426 /)
    expect(await exchangesOf(player, 3)).toEqual([handshake, 'POST 200 complete', 'POST 200 complete'])
  })
})
