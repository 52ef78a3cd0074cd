import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigFile, writeConfigFile } from '../../helpers/config-file.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { type ProgramRun, runInProcess } from './run-in-process.ts'

// As in run.test.ts: what is shown on the program itself, in tests/cli, runs here where its lines are counted.

let upstream: ScriptedUpstream
let file: ConfigFile
let program: ProgramRun
beforeAll(async () => {
  upstream = await startScriptedUpstream((request, connection) =>
    connection.json({ data: [], tag: request.header('x-tag') }),
  )
})
afterAll(() => upstream.close())
beforeEach(() => {
  file = writeConfigFile(tagged('first'))
})
afterEach(() => {
  program.restore()
  file.remove()
})

function tagged(tag: string): string {
  const up = { base_url: `${upstream.url}/v1`, api_keys: ['sk-1', 'sk-2'], headers: { 'x-tag': tag } }
  return JSON.stringify({ upstreams: { up }, params: [{ drop: ['user'] }] })
}

async function codeOf(args: readonly string[]): Promise<number> {
  program = runInProcess(args, { HOST: '127.0.0.1', PORT: '0', NEXCODE_CONFIG: file.path })
  await program.started
  return program.exited
}

test('check asks the upstream of the file, by each key', async () => {
  expect(await codeOf(['check'])).toBe(0)
  expect(program.stdout().match(/✓ upstream up/g)).toHaveLength(2)
})

test('a bad file, and one that is not there, end a command with 2', async () => {
  file.write('{"upstreams": {}}')
  expect(await codeOf(['check'])).toBe(2)
  expect(program.stderr()).toContain(`${file.path}:1:`)
  program.restore()
  expect(await codeOf(['check', '--config', '/nowhere/nexcode.yaml'])).toBe(2)
  expect(program.stderr()).toContain('cannot be read: there is no such file or folder (ENOENT)')
})

test('schema prints the schema', async () => {
  expect(await codeOf(['schema'])).toBe(0)
  expect(JSON.parse(program.stdout())).toMatchObject({ type: 'object' })
})

describe('explain', () => {
  const explained = async (text: string, ...args: string[]): Promise<number> => {
    const path = join(file.path, '..', 'request.json')
    writeFileSync(path, text)
    return codeOf(['explain', path, ...args])
  }

  test('says what would become of a request, for a person and for a program', async () => {
    const text = '{"model":"m","user":"u","messages":[{"role":"user","content":"hi"}]}'
    expect(await explained(text)).toBe(0)
    expect(program.stdout()).toContain('drop  user')
    program.restore()
    expect(await explained(`{"principal":"local","body":${text}}`, '--json')).toBe(0)
    expect(JSON.parse(program.stdout())).toMatchObject({ request: { principal: 'local' }, config: file.path })
  })

  test('ends with 1 for a refusal, and with 2 for what it cannot explain', async () => {
    expect(await explained('{"principal":"token","body":[]}')).toBe(1)
    program.restore()
    expect(await explained('no JSON')).toBe(2)
    program.restore()
    expect(await codeOf(['explain'])).toBe(2)
    program.restore()
    expect(await codeOf(['explain', '/nowhere/request.json'])).toBe(2)
  })
})

test.each([
  ['demo', '--config=x'],
  ['schema', '--json'],
  ['check', '--path=/v1/x'],
  ['serve', '--once'],
])('%s does not take %s: 2', async (command, flag) => {
  expect(await codeOf([command, flag])).toBe(2)
  expect(program.stderr()).toContain('is not for this command')
})

test('serve goes by the file, and by what it says after SIGHUP or a change; a bad one changes nothing', async () => {
  program = runInProcess([], {
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'silent',
    LOG_FORMAT: 'pretty',
    NEXCODE_CONFIG: file.path,
  })
  await program.started
  const url = /docs +(\S+)\/docs/.exec(program.stdout())?.[1]
  const tag = async (): Promise<unknown> => ((await (await fetch(`${url}/v1/models`)).json()) as { tag: unknown }).tag
  expect(await tag()).toBe('first')
  file.write(tagged('second'))
  program.emit('SIGHUP')
  while ((await tag()) !== 'second');
  file.write('{')
  program.emit('SIGHUP')
  expect(await tag()).toBe('second')
  file.write(tagged('third'))
  while ((await tag()) !== 'third');
  program.emit('SIGTERM')
  expect(await program.exited).toBe(0)
})
