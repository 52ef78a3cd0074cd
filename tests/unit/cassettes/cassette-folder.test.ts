import { describe, expect, test } from 'bun:test'
import {
  cassetteName,
  cassetteNumber,
  openWriter,
  readCassettes,
  renderCassette,
  renderCassetteProblems,
} from '../../../src/cassettes/cassette-folder.ts'
import { cassetteOf, memoryFolder, sha256 } from './memory-recorder.ts'

const chat = (json: unknown) => ({ method: 'POST', path: '/v1/chat/completions', body: { json } })

describe('the name of a cassette’s file', () => {
  test('has its number, what was asked of which model, and a hash', () => {
    expect(cassetteName(1, chat({ model: 'gpt-4o' }), sha256)).toMatch(
      /^0001-chat\.completions-gpt-4o-[0-9a-f]{8}\.json$/,
    )
    expect(cassetteName(12_345, { method: 'GET', path: '/models' }, sha256)).toMatch(/^12345-models-[0-9a-f]{8}\.json$/)
    const form = { method: 'POST', path: '/v1/audio/speech', body: { parts: [{ name: 'model', text: 'whisper-1' }] } }
    expect(cassetteName(2, form, sha256)).toMatch(/^0002-audio\.speech-whisper-1-[0-9a-f]{8}\.json$/)
  })

  test('has the same hash for requests that are alike, and for no others', () => {
    const hash = (json: unknown) => cassetteName(1, chat(json), sha256).slice(-13)
    expect(hash({ model: 'm', n: 1, user: 'a' })).toBe(hash({ n: 1, model: 'm', user: 'b' }))
    expect(hash({ model: 'm', n: 1 })).not.toBe(hash({ model: 'm', n: 2 }))
  })

  test('has only what every file system takes', () => {
    expect(cassetteName(1, chat({ model: '../a b/ключ:*' }), sha256)).toMatch(
      /^0001-chat\.completions-a_b-[0-9a-f]{8}\.json$/,
    )
    expect(cassetteName(1, { method: 'GET', path: '/v1/..%2f' }, sha256)).toMatch(/^0001-2f-[0-9a-f]{8}\.json$/)
    expect(cassetteName(1, chat({ model: 'x'.repeat(500) }), sha256).length).toBeLessThan(120)
    for (const model of [7, '***']) {
      expect(cassetteName(1, chat({ model }), sha256)).toMatch(/^0001-chat\.completions-[0-9a-f]{8}\.json$/)
    }
    expect(cassetteName(1, { method: 'POST', path: '/v1/' }, sha256)).toMatch(/^0001-[0-9a-f]{8}\.json$/)
  })

  test('gives its number back', () => {
    expect(['0012-a.json', '12345-a.json', 'a-12.json', '12.json'].map(cassetteNumber)).toEqual([
      12,
      12_345,
      undefined,
      undefined,
    ])
  })
})

describe('cassettes are read', () => {
  const text = (name: string): string => renderCassette(cassetteOf(name, {}).cassette)

  test('in the order of their numbers, those without one behind, by name', async () => {
    const names = ['b.json', '0010-a.json', '10000-a.json', '0009-b.json', 'a.json', '0009-a.json']
    const folder = memoryFolder(Object.fromEntries(names.map((name) => [name, text(name)])))
    const { cassettes, problems } = await readCassettes(folder)
    const expected = ['0009-a.json', '0009-b.json', '0010-a.json', '10000-a.json', 'a.json', 'b.json']
    expect(cassettes.map(({ name }) => name)).toEqual(expected)
    expect(problems).toEqual([])
  })

  test('from files that end with .json, and no others', async () => {
    const folder = memoryFolder({ 'README.md': '#', '.hidden.json': '{', 'a.json': text('a') })
    expect((await readCassettes(folder)).cassettes).toHaveLength(1)
    expect(await readCassettes(memoryFolder())).toEqual({ cassettes: [], problems: [] })
  })

  test('with numbers as they were written', async () => {
    const folder = memoryFolder({ 'a.json': text('a').replace('"json": {}', '"json": { "top_p": 1.0 }') })
    const [named] = (await readCassettes(folder)).cassettes
    expect(JSON.stringify(named?.cassette.request.body)).toBe('{"json":{"top_p":1.0}}')
  })

  test('or all that is wrong with them is told at once, with file and path', async () => {
    const folder = memoryFolder({
      'a.json': '{"cassette":1}',
      'b.json': '{',
      'c.json': text('c'),
      'd.json': text('d').replace('"status": 200', '"status": 20'),
      'e.json': text('e'),
      'f.json': text('f'),
    })
    const read = async (name: string): Promise<string> => {
      if (name === 'e.json') throw Object.assign(new Error('no'), { code: 'EACCES' })
      if (name === 'f.json') throw new Error('no')
      return folder.read(name)
    }
    const { cassettes, problems } = await readCassettes({ ...folder, read })
    expect(cassettes.map(({ name }) => name)).toEqual(['c.json'])
    expect(renderCassetteProblems('tapes', problems)).toBe(
      `  tapes/a.json: request: expected required property
  tapes/a.json: response: expected required property
  tapes/b.json: is not JSON, or has a name twice in one object
  tapes/d.json: response.status: expected integer to be greater or equal to 200
  tapes/e.json: cannot be read: this user may not (EACCES)
  tapes/f.json: cannot be read: no
`,
    )
  })
})

describe('cassettes are written', () => {
  test('in the order of the requests, and numbers go on behind those that are there', async () => {
    const folder = memoryFolder({ '0007-a.json': '', 'b.json': '' })
    const writer = await openWriter(folder, sha256)
    const [first, second] = [writer.reserve(), writer.reserve()]
    expect([first, second]).toEqual([8, 9])
    const later = await writer.write(second, cassetteOf('', { n: 2 }).cassette)
    const sooner = await writer.write(first, cassetteOf('', { n: 1 }).cassette)
    expect([sooner.slice(0, 5), later.slice(0, 5)]).toEqual(['0008-', '0009-'])
  })

  test('never over one that is there: another process may have taken the number', async () => {
    const folder = memoryFolder()
    const { cassette } = cassetteOf('', { model: 'm' })
    const [one, other] = [await openWriter(folder, sha256), await openWriter(folder, sha256)]
    const names = [await one.write(one.reserve(), cassette), await other.write(other.reserve(), cassette)]
    expect(new Set(names).size).toBe(2)
    expect(folder.files.size).toBe(2)
  })

  test('so that they can be read again, indented for people', async () => {
    const { cassette } = cassetteOf('', { model: 'm' }, { status: 200, events: [{ at_ms: 1, text: 'data: a\n\n' }] })
    const folder = memoryFolder()
    const writer = await openWriter(folder, sha256)
    const name = await writer.write(writer.reserve(), cassette)
    expect(folder.files.get(name)).toContain('\n    "events": [\n      {\n')
    expect((await readCassettes(folder)).cassettes).toEqual([{ name, cassette }])
  })
})
