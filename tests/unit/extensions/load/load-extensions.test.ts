import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importFile } from '../../../../src/extensions/load/import-afresh.ts'
import {
  type ExtensionSetting,
  loadExtensions,
  renderExtensionProblems,
} from '../../../../src/extensions/load/load-extensions.ts'
import type { Json } from '../../../../src/formats/json/json.ts'

let folder: string
let files = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-extensions-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes a file, by default one of its own, and gives its path. */
function write(text: string, name?: string): string {
  files += 1
  const path = join(folder, name ?? `file-${files}.ts`)
  writeFileSync(path, text)
  return path
}

function setting(path: string, options: Json = {}): ExtensionSetting {
  return { path, options, onError: 'fail', timeoutMs: 1000 }
}

/** What is wrong with one extension, with its path taken out. */
async function problemsOf(path: string, options?: Json): Promise<string> {
  const loaded = await loadExtensions([setting(path, options)])
  return loaded.ok ? '' : renderExtensionProblems(loaded.problems).replaceAll(`${folder}/`, '')
}

const GOOD = `export default { name: 'good', fetch: (request: Request, next: (r: Request) => unknown) => next(request) }`

describe('an extension', () => {
  test('is TypeScript that runs as it is, with what it imports', async () => {
    write('export const answer: number = 42\n', 'part.ts')
    write('{"b": 1}', 'data.json')
    const path = write(
      `import { answer } from './part.ts'\nimport data from './data.json'\nimport { join } from 'node:path'\n` +
        `export default { name: 'whole', fetch: () => Response.json([answer, data.b, join('a', 'b')]) }`,
    )
    const loaded = await loadExtensions([{ path, onError: 'skip', timeoutMs: 7 }])
    if (!loaded.ok) throw new Error(renderExtensionProblems(loaded.problems))
    expect(loaded.extensions).toMatchObject([{ name: 'whole', file: path, options: {}, onError: 'skip', timeoutMs: 7 }])
    expect(loaded.files.toSorted()).toEqual([join(folder, 'data.json'), path, join(folder, 'part.ts')].toSorted())
    const response = await loaded.extensions[0]?.extension.fetch(
      undefined as never,
      undefined as never,
      undefined as never,
    )
    expect(await response?.json()).toEqual([42, 1, 'a/b'])
  })

  test('may be JavaScript, and may await at its top', async () => {
    const path = write(`await Promise.resolve(); export default { name: 'js', fetch() {} }`, 'plain.mjs')
    expect(await problemsOf(path)).toBe('')
  })

  test('gets its options by the schema of its own, defaults put in', async () => {
    const path = write(
      `import { Type } from 'nexcode'\nconst options = Type.Object({ a: Type.String(), b: Type.Integer({ default: 3 }) })\n` +
        `export default { name: 'opts', options, fetch() {} }`,
    )
    const loaded = await loadExtensions([setting(path, { a: 'x' })])
    expect(loaded).toMatchObject({ ok: true, extensions: [{ options: { a: 'x', b: 3 } }] })
    expect(await problemsOf(path, { a: 5, c: 1 })).toMatch(
      /^file-\d+\.ts has no option c\.\n {2}Its options are: a, b\.\nfile-\d+\.ts has an options\.a that does not fit\.\n {2}Expected string\.\n$/,
    )
    expect(await problemsOf(path)).toContain('has an options.a that does not fit')
    expect(await problemsOf(path, 'text')).toContain('has options that do not fit.\n  Expected object')
  })

  test('without a schema takes options as they are', async () => {
    const loaded = await loadExtensions([setting(write(GOOD), { anything: [1] })])
    expect(loaded).toMatchObject({ ok: true, extensions: [{ options: { anything: [1] } }] })
  })

  test('may leave room for options that it does not name', async () => {
    const path = write(
      `import { Type } from 'nexcode'\nconst options = Type.Object({}, { additionalProperties: Type.Array(Type.String()) })\n` +
        `export default { name: 'open', options, fetch() {} }`,
    )
    expect(await problemsOf(path, { more: ['a'] })).toBe('')
    expect(await problemsOf(path, { more: ['a', 1] })).toContain('has an options.more[1] that does not fit')
  })
})

describe('what is wrong is told with its file and a cure:', () => {
  test.each([
    ['no default export', 'export const a = 1', 'has no default export', 'Write: export default {'],
    ['a default that is no object', 'export default 5', 'exports a number as its default', 'Write: export default {'],
    ['a default of null', 'export default null', 'exports null as its default', 'Write: export default {'],
    ['no name', 'export default { fetch() {} }', 'has no name', 'Give it a name'],
    ['a bad name', `export default { name: 'a:b', fetch() {} }`, 'has a name that is none', 'Give it a name'],
    ['no fetch', `export default { name: 'a' }`, 'has no fetch', 'fetch(request, next, context)'],
    ['a fetch of text', `export default { name: 'a', fetch: 'x' }`, 'has a fetch that is a string', 'fetch(request'],
    ['a fetch of null', `export default { name: 'a', fetch: null }`, 'has a fetch that is null', 'fetch(request'],
    [
      'no schema',
      `export default { name: 'a', fetch() {}, options: {} }`,
      'has options that are no schema',
      'Type.Object',
    ],
    [
      'no schema at all',
      `export default { name: 'a', fetch() {}, options: 1 }`,
      'has options that are no schema',
      'Type',
    ],
  ])('%s', async (_name, text, wrong, cure) => {
    const problems = await problemsOf(write(text))
    expect(problems).toMatch(/^file-\d+\.ts /)
    expect(problems).toContain(wrong)
    expect(problems).toContain(cure)
  })

  test('a syntax error, with its line and column', async () => {
    expect(await problemsOf(write('export default {\n  name: ,\n}\n'))).toMatch(
      /^file-\d+\.ts:2:9 is no TypeScript: Unexpected ,\.\n/,
    )
  })

  test('a syntax error in a file that it imports', async () => {
    write('const a = ;\n', 'bad-part.ts')
    expect(await problemsOf(write(`import './bad-part'\n${GOOD}`))).toMatch(/^bad-part\.ts:1:11 is no TypeScript: /)
  })

  test('what it throws when it is loaded, with the line', async () => {
    expect(await problemsOf(write(`const a = 1\n\nthrow new Error('boom')\n${GOOD}`))).toMatch(
      /^file-\d+\.ts:3:\d+ fails when it is loaded: boom\.\n/,
    )
    expect(await problemsOf(write(`throw 'text'\n${GOOD}`))).toMatch(/^file-\d+\.ts fails when it is loaded: text\./)
  })

  test('a file that is not there, and one that it imports and is not there', async () => {
    expect(await problemsOf(join(folder, 'nowhere.ts'))).toBe(
      "nowhere.ts can't be read: there is no such file or folder (ENOENT).\n  Name a file that there is.\n",
    )
    expect(await problemsOf(write(`import { a } from './nothing.ts'\nexport default a`))).toMatch(
      /^nothing\.ts can't be read: there is no such file or folder \(ENOENT\)\.\n {2}It is imported by file-\d+\.ts\.\n$/,
    )
  })

  test('a package that is not there, and a name that a module has not', async () => {
    expect(await problemsOf(write(`import a from 'no-such-package'\nexport default a`))).toContain(
      "fails when it is loaded: Cannot find package 'no-such-package'",
    )
    expect(await problemsOf(write(`import { Nope } from 'nexcode'\nexport default Nope`))).toContain(
      "named 'Nope' not found",
    )
  })

  test('two of one name, and one that is listed twice', async () => {
    const [one, two] = [write(GOOD), write(GOOD)]
    const loaded = await loadExtensions([setting(one), setting(two), setting(one)])
    expect(loaded).toMatchObject({
      ok: false,
      problems: [
        { at: two, wrong: `has the name "good", as ${one} has` },
        { at: one, wrong: 'is listed twice' },
      ],
    })
  })

  test('all of it at once', async () => {
    const loaded = await loadExtensions(
      [write('export default 1'), write('const ;'), write(GOOD), join(folder, 'no.ts')].map((path) => setting(path)),
    )
    if (loaded.ok) throw new Error('it was loaded')
    expect(loaded.problems).toHaveLength(3)
    expect(loaded.files).toHaveLength(4)
  })

  test('one that awaits for ever', async () => {
    const path = write(`await new Promise(() => undefined)\n${GOOD}`)
    expect(String(await importFile(path, 20).catch((thrown: unknown) => thrown))).toContain('still awaits')
  })
})

describe('to load again', () => {
  async function textFrom(path: string): Promise<unknown> {
    const loaded = await loadExtensions([setting(path)])
    if (!loaded.ok) return loaded.problems[0]?.wrong
    const response = await loaded.extensions[0]?.extension.fetch(
      undefined as never,
      undefined as never,
      undefined as never,
    )
    return await response?.text()
  }
  const entry = (part: string) =>
    `import { value } from './${part}'\nexport default { name: 'again', fetch: () => new Response(value) }`

  test('reads the file and what it imports anew; the old one goes on as it was', async () => {
    write(`export const value = 'one'`, 'again-part.ts')
    const path = write(entry('again-part.ts'))
    const old = await loadExtensions([setting(path)])
    write(`export const value = 'two'`, 'again-part.ts')
    expect(await textFrom(path)).toBe('two')
    if (!old.ok) throw new Error('it was not loaded')
    const response = await old.extensions[0]?.extension.fetch(
      undefined as never,
      undefined as never,
      undefined as never,
    )
    expect(await response?.text()).toBe('one')
  })

  test.each([
    ['a syntax error', 'export const value = ,', 'is no TypeScript'],
    ['a throw', `throw new Error('boom'); export const value = ''`, 'boom'],
    ['a missing name', `export const other = ''`, "named 'value' not found"],
  ])('comes back from %s in what it imports', async (name, bad, wrong) => {
    const part = `${name.replaceAll(' ', '-')}.ts`
    write(`export const value = 'one'`, part)
    const path = write(entry(part))
    expect(await textFrom(path)).toBe('one')
    write(bad, part)
    expect(await textFrom(path)).toContain(wrong)
    write(`export const value = 'two'`, part)
    expect(await textFrom(path)).toBe('two')
  })

  test('comes back from a file that was missing', async () => {
    const path = write(entry('later-part.ts'))
    expect(await textFrom(path)).toContain("can't be read")
    write(`export const value = 'there'`, 'later-part.ts')
    expect(await textFrom(path)).toBe('there')
  })
})
