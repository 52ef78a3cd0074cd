import { afterAll, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { areSame, type FileStates, stateOf, statesNow } from '../../../src/process/file-states.ts'

const folder = mkdtempSync(join(tmpdir(), 'nexcode-states-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const path = join(folder, 'file')

/** Whether a look before and one behind a change differ. */
function isSeen(change: () => void): boolean {
  const before: FileStates = new Map([[path, stateOf(path)]])
  change()
  return !areSame(before, statesNow(before))
}

test('every way to change a file is seen, and that nothing has changed, too', () => {
  expect(isSeen(() => writeFileSync(path, 'one'))).toBe(true)
  expect(isSeen(() => undefined)).toBe(false)
  expect(isSeen(() => writeFileSync(path, 'another'))).toBe(true)
  // The system's clock for files ticks every few milliseconds.
  Bun.sleepSync(20)
  expect(isSeen(() => chmodSync(path, 0o600))).toBe(true)
  expect(isSeen(() => utimesSync(path, 0, 0))).toBe(true)
  expect(isSeen(() => rmSync(path))).toBe(true)
  for (const name of ['a', 'b']) writeFileSync(join(folder, name), 'same')
  expect(isSeen(() => symlinkSync('a', path))).toBe(true)
  expect(
    isSeen(() => {
      symlinkSync('b', `${path}.next`)
      renameSync(`${path}.next`, path)
    }),
  ).toBe(true)
})

test('what is no plain file has no state that could change, and what cannot be reached says why', () => {
  mkdirSync(join(folder, 'inner'))
  expect(stateOf(join(folder, 'inner'))).toBe('no plain file')
  expect(stateOf(join(folder, 'absent'))).toBe('ENOENT')
  expect(stateOf(join(folder, 'a', 'below'))).toBe('ENOTDIR')
})

test('files that only one of two looks knows are a difference', () => {
  expect(areSame(new Map([['/a', '1']]), new Map())).toBe(false)
})
