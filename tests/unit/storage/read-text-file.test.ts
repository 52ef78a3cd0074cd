import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTextFile } from '../../../src/storage/read-text-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'nexcode-read-text-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([0, 1, 65_535, 65_536, 200_001])(
  'a file of %d characters is read as it is, with its byte order mark',
  (length) => {
    const path = join(folder, String(length))
    const text = `\uFEFF${'ä'.repeat(length)}`
    writeFileSync(path, text)
    expect(readTextFile(path) === text).toBe(true)
  },
)

test('a device that has no end is refused as too large', () => {
  expect(() => readTextFile('/dev/zero')).toThrow(expect.objectContaining({ code: 'EFBIG' }))
})

test('what is not there, and a folder, are refused as the system does', () => {
  expect(() => readTextFile(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  expect(() => readTextFile(folder)).toThrow(expect.objectContaining({ code: 'EISDIR' }))
})
