import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BINARY, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient } from '../helpers/raw-client.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

test('1,000 slow requests are all with the upstream at once: the runtime’s limit of 256 is raised by itself', async () => {
  const count = 1_000
  const upstream = await startScriptedUpstream(() => undefined)
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` }, command: gatewayCommand() })
  const clients = await Promise.all(Array.from({ length: count }, () => openRawClient(gateway.port)))
  for (const client of clients) client.write(getText('/v1/models', { Authorization: 'Bearer sk-mine' }))
  await upstream.request(count)
  expect(upstream.requests).toHaveLength(count)
  // The process that was started is the server: what manages it need not know.
  gateway.child?.kill('SIGTERM')
  await gateway.line(({ msg }) => String(msg).startsWith('draining'))
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(143)
  for (const client of clients) client.leave()
  await upstream.close()
})

test.skipIf(BINARY === undefined)(
  BINARY === undefined
    ? 'the binary does not load what lies in the current folder (skipped: from source it is Bun that does; run with NEXCODE_BINARY=dist/nexcode)'
    : 'the binary does not load .env, bunfig.toml or package.json of the current folder',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexcode-cwd-'))
    const trace = join(folder, 'it-ran')
    writeFileSync(join(folder, '.env'), 'PORT=from-dotenv\nREQUIRE_AUTH=true\n')
    writeFileSync(join(folder, '.env.production'), 'PORT=from-dotenv\n')
    writeFileSync(join(folder, 'bunfig.toml'), 'preload = ["./preload.ts"]\n')
    writeFileSync(join(folder, 'preload.ts'), `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')\n`)
    writeFileSync(join(folder, 'package.json'), '{"version":"9.9.9"}')
    writeFileSync(join(folder, 'tsconfig.json'), '{')
    const upstream = await startScriptedUpstream((_request, connection) => connection.json({}))
    const checked = await runProgram(['check'], { OPENAI_API_BASE: `${upstream.url}/v1` }, { cwd: folder })
    expect(checked.stderr).toBe('')
    expect(checked.stdout).toContain(':8000/v1')
    expect(checked.code).toBe(0)
    expect((await runProgram(['demo', '--once'], {}, { cwd: folder })).code).toBe(0)
    expect((await runProgram(['--version'], {}, { cwd: folder })).stdout).not.toContain('9.9.9')
    expect(existsSync(trace)).toBe(false)
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  },
)
