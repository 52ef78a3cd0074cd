import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningProgram, startProgram } from '../helpers/run-program.ts'

setDefaultTimeout(60_000)

const CASSETTES = new URL('../../examples/testing/cassettes', import.meta.url).pathname

let program: RunningProgram | undefined
let folder = ''
afterEach(async () => {
  await program?.stop()
  program = undefined
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
  folder = ''
})

function makeFolder(): string {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-hang-up-'))
  return folder
}

const COMMANDS: readonly (readonly [string, () => string[], RegExp])[] = [
  ['serve', () => [], /"url":"([^"]+)"/],
  ['serve with WORKERS', () => [], /"url":"([^"]+)"/],
  ['demo', () => ['demo'], /NexCode at (\S+),/],
  ['record', () => ['record', '--to', makeFolder()], /"url":"([^"]+)"/],
  [
    'replay',
    () => {
      cpSync(CASSETTES, makeFolder(), { recursive: true })
      return ['replay', '--from', folder]
    },
    /"url":"([^"]+)"/,
  ],
  ['simulate', () => ['simulate', '--port', '0'], /"url":"([^"]+)"/],
]

test.each(COMMANDS)(
  'no signal but SIGTERM and SIGINT ends %s, which goes on serving, and SIGTERM ends it well',
  async (name, args, url) => {
    const env = { HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', OPENAI_API_BASE: 'http://127.0.0.1:1/v1' }
    program = startProgram(args(), { ...env, ...(name.endsWith('WORKERS') && { WORKERS: '2' }) })
    const { child, until } = program
    await until(name === 'demo' ? 'Stop with Ctrl-C' : '"listening"')
    const [, base = ''] = url.exec(program.output()) ?? []
    const isAlive = async (): Promise<boolean> => (await fetch(base)).status < 500
    expect(await isAlive()).toBe(true)
    child.kill('SIGHUP')
    if (name.startsWith('serve') || name.startsWith('re')) await until('configuration reloaded (SIGHUP)')
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE', 'SIGXFSZ'] as const) child.kill(signal)
    for (let n = 0; n < 5; n += 1) expect(await isAlive()).toBe(true)
    expect(child.exitCode).toBeNull()
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
  },
)

test('a server without a file says at SIGHUP that it has read nothing, and what would take a restart', async () => {
  program = startProgram([], {
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_FORMAT: 'json',
    OPENAI_API_BASE: 'http://127.0.0.1:1/v1',
  })
  await program.until('"listening"')
  program.child.kill('SIGHUP')
  await program.until('configuration reloaded (SIGHUP)')
  expect(program.output()).toContain('"read":[],"not_read":["OPENAI_API_BASE","HOST","PORT","LOG_FORMAT"]')
})
