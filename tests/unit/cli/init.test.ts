import { afterEach, beforeEach, describe, expect, spyOn, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { init } from '../../../src/cli/init.ts'
import { loadExtensions } from '../../../src/extensions/load/load-extensions.ts'
import { renderTypesFile } from '../../../src/extensions/load/types-file.ts'
import { runProgram } from '../../helpers/run-program.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-init-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Runs the command, and gives its code and what it has printed. */
async function run(...args: string[]): Promise<{ readonly code: number; readonly printed: string }> {
  let printed = ''
  const note = (text: unknown): boolean => {
    printed += String(text)
    return true
  }
  const spies = [process.stdout, process.stderr].map((stream) => spyOn(stream, 'write').mockImplementation(note))
  try {
    return { code: await init(args), printed }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

function tsc(...files: string[]): string {
  const command = [join(ROOT, 'node_modules/.bin/tsc'), '--noEmit', '--strict', '--lib', 'esnext,dom', ...files]
  const { stdout, stderr } = Bun.spawnSync(command, { cwd: folder })
  return stdout.toString() + stderr.toString()
}

describe('init extension', () => {
  test('writes a template that loads, and a types file by which tsc knows all of it with nothing installed', async () => {
    const path = join(folder, 'my.ts')
    const { code, printed } = await run('extension', path)
    expect(code).toBe(0)
    expect(printed).toContain(`EXTENSIONS=${path}`)
    const loaded = await loadExtensions([{ path, onError: 'fail', timeoutMs: 0 }])
    expect(loaded).toMatchObject({ ok: true, extensions: [{ name: 'my', options: { greeting: 'hello' } }] })
    expect(tsc('my.ts', 'nexcode.d.ts')).toBe('')
    expect(tsc('my.ts')).toBe('')
  }, 60_000)

  test('the types are those of the extension: a mistake is found', async () => {
    await run('extension', join(folder, 'my.ts'))
    const text = readFileSync(join(folder, 'my.ts'), 'utf8')
    writeFileSync(join(folder, 'my.ts'), text.replace('context.options.greeting)', 'context.options.greetin)'))
    expect(tsc('my.ts')).toContain("Property 'greetin' does not exist")
    writeFileSync(join(folder, 'my.ts'), text.replace('return next(request)', 'return next(5)'))
    expect(tsc('my.ts')).toContain("'number' is not assignable to parameter of type 'Request'")
  }, 60_000)

  test('never writes over an extension', async () => {
    const path = join(folder, 'my.ts')
    writeFileSync(path, 'mine')
    const { code, printed } = await run('extension', path)
    expect(code).toBe(2)
    expect(printed).toContain('is there already')
    expect(readFileSync(path, 'utf8')).toBe('mine')
  })

  test('brings its own types file up to date, and leaves another alone', async () => {
    const types = join(folder, 'nexcode.d.ts')
    await run('extension', join(folder, 'a.ts'))
    writeFileSync(types, `${readFileSync(types, 'utf8')}// old`)
    expect((await run('extension', join(folder, 'b.ts'))).code).toBe(0)
    expect(readFileSync(types, 'utf8')).toBe(await renderTypesFile())
    writeFileSync(types, 'mine')
    const { code, printed } = await run('extension', join(folder, 'c.ts'))
    expect(code).toBe(2)
    expect(printed).toContain('none of ours')
    expect(readFileSync(types, 'utf8')).toBe('mine')
  })

  test.each([
    [[], 'nexcode init takes'],
    [['extension'], 'nexcode init takes'],
    [['extension', 'a.ts', 'b.ts'], 'nexcode init takes'],
    [['plugin', 'a.ts'], 'nexcode init takes what to begin'],
    [['extension', 'a.js'], 'is no name of a TypeScript file'],
    [['extension', 'a.d.ts'], 'is no name of a TypeScript file'],
    [['extension', 'a b.ts'], 'has a name of letters'],
    [['extension', '/nowhere/at/all/a.ts'], "can't be written: there is no such file or folder (ENOENT)"],
  ])('%p is refused with exit code 2', async (args, expected) => {
    const { code, printed } = await run(...args)
    expect(code).toBe(2)
    expect(printed).toContain(expected)
  })
})

test('examples/extensions/nexcode.d.ts is what the sources say', async () => {
  const path = join(ROOT, 'examples/extensions/nexcode.d.ts')
  expect(readFileSync(path, 'utf8')).toBe(await renderTypesFile())
})

test('the types of JSON in it are those of the sources', async () => {
  const [types = ''] = readFileSync(join(ROOT, 'src/formats/json/json.ts'), 'utf8').split('/** Whether')
  expect(await renderTypesFile()).toContain(types.trim().replace(/^(?=.)/gm, '  '))
})

describe('init ledger', () => {
  test('writes a configuration file with a ledger, and says how to make the first key', async () => {
    const path = join(folder, 'own.yaml')
    const { code, printed } = await run('ledger', path)
    expect([code, printed.includes(`nexcode keys create --name alice --budget 5/month --config ${path}\n`)]).toEqual([
      0,
      true,
    ])
    const made = await runProgram(['keys', 'create', '--name', 'alice', '--config', path], {}, { cwd: folder })
    expect([made.stderr, made.stdout]).toEqual(['', expect.stringMatching(/^Key 'alice' of project 'default'/)])
  })

  test('never writes over a file, and takes names of configuration files alone', async () => {
    const path = join(folder, 'nexcode.yaml')
    writeFileSync(path, 'models: {}\n')
    const { code, printed } = await run('ledger', path)
    expect([code, printed]).toEqual([2, expect.stringContaining('ledger: { store: "sqlite:nexcode.db" }')])
    expect(readFileSync(path, 'utf8')).toBe('models: {}\n')
    expect((await run('ledger', join(folder, 'my.ts'))).code).toBe(2)
    expect((await run('ledger', join(folder, 'absent/nexcode.yaml'))).printed).toContain("can't be written")
  })
})
