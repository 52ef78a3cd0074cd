import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { runProgram } from '../helpers/run-program.ts'

setDefaultTimeout(60_000)

const NOWHERE = { OPENAI_API_BASE: 'http://127.0.0.1:1/v1' }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-dot-env-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const check = (env: Readonly<Record<string, string>> = {}) =>
  runProgram(['check'], { ...NOWHERE, ...env }, { cwd: folder })

test('a .env in the working folder is not read, from source as in the binary, and a line says so, with names and without values', async () => {
  writeFileSync(join(folder, '.env'), 'PORT=7777\nexport API_TOKEN=canary-0123456789ab\n# HOST=x\n OTHER = 1\n')
  const { stdout, stderr } = await check()
  expect(stdout).toContain('http://localhost:8000/v1')
  expect(stdout).toContain(
    '! The .env in this folder is not read, and sets what is not set: PORT, API_TOKEN, OTHER. To have it read: set -a; . ./.env; set +a',
  )
  expect(stdout + stderr).not.toContain('canary')
})

test.each(['.env.local', '.env.production', '.env.development', '.env.test'])('nor is a %s', async (name) => {
  writeFileSync(join(folder, name), 'PORT=7777\n')
  const { stdout } = await check()
  expect(stdout).toContain('http://localhost:8000/v1')
})

test('it is read where a shell is told to, and then nothing is said', async () => {
  writeFileSync(join(folder, '.env'), 'PORT=7777\nHOST=127.0.0.1\n')
  const command = ['sh', '-c', 'set -a; . ./.env; set +a; exec "$@"', 'sh', ...gatewayCommand()]
  const { stdout } = await runProgram(['check'], NOWHERE, { cwd: folder, command })
  expect(stdout).toContain('http://127.0.0.1:7777/v1')
  expect(stdout).not.toContain('.env')
})

test('the log of a server says it, too', async () => {
  writeFileSync(join(folder, '.env'), 'LOG_LEVEL=silent\nPORT=1\n')
  const child = Bun.spawn(gatewayCommand(), {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...NOWHERE, HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json' },
    stdout: 'pipe',
    stderr: 'ignore',
  })
  let text = ''
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk)
    if (text.includes('.env in this folder')) break
  }
  child.kill()
  await child.exited
  expect(text).toContain('The .env in this folder is not read, and sets what is not set: LOG_LEVEL.')
})

test('secrets that people put beside the code are not committed', () => {
  const ignored = readFileSync(new URL('../../.gitignore', import.meta.url), 'utf8').split('\n')
  expect(ignored).toContain('.env')
  expect(ignored).toContain('/examples/secrets/')
})

test('names that every object has are names of variables like others', async () => {
  writeFileSync(join(folder, '.env'), '__proto__=1\nconstructor=2\n')
  const { stdout, stderr } = await check()
  expect(stdout + stderr).toContain('sets what is not set: __proto__, constructor.')
})

test('a pipe of that name keeps nobody waiting', async () => {
  rmSync(join(folder, '.env'), { force: true })
  expect(Bun.spawnSync(['mkfifo', join(folder, '.env')]).exitCode).toBe(0)
  const { stdout, stderr } = await check()
  expect(stdout + stderr).not.toContain('.env in this folder')
})
