import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { runProgram } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    connection.json({
      key: request.header('authorization') ?? request.header('api-key') ?? null,
      target: request.target,
    })
  })
})
afterAll(() => upstream.close())

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-import-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const litellm = (): string => `
model_list:
  - model_name: smart
    litellm_params: { model: openai/gpt-4o, api_base: "${upstream.url}/v1", api_key: os.environ/OPENAI_API_KEY, rpm: 60 }
  - model_name: smart
    litellm_params:
      model: azure/my-deployment
      api_base: ${upstream.url}
      api_key: os.environ/AZURE_API_KEY
      api_version: "2024-10-21"
  - model_name: "groq/*"
    litellm_params: { model: "groq/*", api_base: "${upstream.url}/groq", api_key: os.environ/GROQ_API_KEY }
router_settings: { routing_strategy: simple-shuffle, num_retries: 2 }
general_settings: { master_key: sk-canary-1234 }
`

const KEYS = { OPENAI_API_KEY: 'sk-openai', AZURE_API_KEY: 'azure-key', GROQ_API_KEY: 'gsk-groq' }

test('what nexcode import litellm writes is a valid file: check accepts it, and a server goes by it', async () => {
  writeFileSync(join(folder, 'config.yaml'), litellm())
  const imported = await runProgram(['import', 'litellm', 'config.yaml'], {}, { cwd: folder })
  expect(imported.code).toBe(0)
  expect(imported.stdout).toStartWith('# yaml-language-server: $schema=./nexcode.schema.json\n')
  expect(imported.stderr).toContain('model_list[0].litellm_params.rpm')
  expect(imported.stderr).toContain('general_settings.master_key')
  expect(imported.stdout + imported.stderr).not.toContain('canary')

  const path = join(folder, 'nexcode.yaml')
  writeFileSync(path, imported.stdout)
  const checked = await runProgram(['check'], KEYS, { cwd: folder })
  expect([checked.stderr, checked.code]).toEqual(['', 0])
  expect(checked.stdout).toContain('✓ configuration is valid')
  expect(checked.stdout).toContain('3 upstreams, 2 models, 0 rules')

  const gateway = await startGateway({ env: { NEXCODE_CONFIG: path, ...KEYS }, command: gatewayCommand() })
  const asked: unknown[] = []
  for (const model of ['smart', 'groq/llama-3.3-70b']) {
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    asked.push(await (await fetch(`${gateway.url}/v1/chat/completions`, init)).json())
  }
  const { target } = asked[0] as { target: string }
  expect([
    '/v1/chat/completions',
    '/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21',
  ]).toContain(target)
  expect(asked[1]).toEqual({ key: 'Bearer gsk-groq', target: '/groq/chat/completions' })
  await gateway.stop()
})

test('a stream that comes is whole, however short the timeout in LiteLLM’s file: it is for each wait', async () => {
  const slow = await startScriptedUpstream(async (request, connection) => {
    await request.body
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    for (let at = 0; at < 16; at += 1) {
      connection.chunk(`data: {"choices":[{"index":0,"delta":{"content":"${at}"}}]}\n\n`)
      await Bun.sleep(150)
    }
    connection.chunk('data: [DONE]\n\n')
    connection.endChunks()
  })
  const params = `{ model: openai/gpt-4o, api_base: "${slow.url}/v1", api_key: os.environ/OPENAI_API_KEY, timeout: 1.8 }`
  writeFileSync(
    join(folder, 'config.yaml'),
    `model_list: [{ model_name: m, litellm_params: ${params} }]\nrouter_settings: { timeout: 2.1 }\n`,
  )
  const imported = await runProgram(['import', 'litellm', 'config.yaml'], {}, { cwd: folder })
  const path = join(folder, 'nexcode.yaml')
  writeFileSync(path, imported.stdout)
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: path, ...KEYS }, command: gatewayCommand() })
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  const text = await (await fetch(`${gateway.url}/v1/chat/completions`, init)).text()
  expect([text.match(/content/g)?.length, text.endsWith('data: [DONE]\n\n')]).toEqual([16, true])
  await gateway.stop()
  await slow.close()
})

test('it reads standard input, so that a pipe does', async () => {
  const command = [...gatewayCommand(), 'import', 'litellm', '-']
  const child = Bun.spawn(command, { stdin: new TextEncoder().encode(litellm()), stdout: 'pipe', stderr: 'ignore' })
  expect(await new Response(child.stdout).text()).toContain('models:')
  expect(await child.exited).toBe(0)
})

test.each([
  [['import'], 'import litellm config.yaml'],
  [['import', 'portkey', 'config.yaml'], 'there is no "portkey"'],
  [['import', 'litellm', 'absent.yaml'], "absent.yaml can't be read: there is no such file or folder (ENOENT)"],
  [['import', 'litellm', 'a', 'b'], '"b" is not expected here'],
  [['import', 'litellm', 'a', '--json'], '--json is not for this command'],
])('%p is refused with exit code 2, and what there is', async (args, words) => {
  const { code, stdout, stderr } = await runProgram(args, {}, { cwd: folder })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(words)
})
