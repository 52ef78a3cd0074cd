import { expect, test } from 'bun:test'
import { LEDGER_DEFAULTS } from '../../../../src/config/sections/ledger.ts'
import { opened } from '../../../helpers/secrets.ts'
import { linesOf, loadGood } from '../load-file.ts'
import { loadProblems } from '../load-with-files.ts'

test('without a word about it there is no ledger, and the environment names its place', () => {
  expect(loadGood('debug_headers: true').ledger).toEqual(LEDGER_DEFAULTS)
  expect(opened(loadGood('ledger: { store: memory }').ledger)).toEqual({ ...LEDGER_DEFAULTS, store: 'memory' })
  expect(loadGood('ledger: false').ledger.store).toBeUndefined()
})

test('every key of the file has its place', () => {
  const text = `ledger: { store: "postgres://u:p@h/d", limits: "rediss://:p@h:1", usage_retention: { days: 7, size: 2GiB },
    include_usage: false, on_ledger_down: allow, uncapped_calls: learned }`
  expect(opened(loadGood(text).ledger)).toEqual({
    store: 'postgres://u:p@h/d',
    limits: 'rediss://:p@h:1',
    rowDaysMax: 7,
    storeBytesMax: 2 ** 31,
    includeUsage: false,
    onDown: 'allow',
    uncappedCalls: 'learned',
  })
})

test('a ledger without a store, and stores that there are none of, are problems at their places; none is shown', () => {
  expect(linesOf('ledger:\n  include_usage: false\n')).toEqual([expect.stringMatching(/^1:1 ledger has no store \| /)])
  const lines = linesOf(
    'ledger:\n  store: "mysql://canary@h"\n  limits: "memcached://canary"\n  usage_retention: { size: big }\n',
  )
  expect(lines.map((line) => line.split(' | ')[0])).toEqual([
    '2:10 ledger.store is no ledger that there is',
    '3:11 ledger.limits is no store of limits that there is',
    '4:28 ledger.usage_retention.size "big" is not a size',
  ])
  expect(lines.join('\n')).not.toContain('canary')
})

test('a variable for a ledger is checked, and its value is never shown', () => {
  const problems = loadProblems({ LEDGER: 'mysql://canary', LIMITS: 'canary', ADMIN_KEY: 'canary-too-short' })
  expect(problems.map(({ name, wrong }) => [name, wrong])).toEqual([
    ['LEDGER', 'is no ledger that there is'],
    ['LIMITS', 'is no store of limits that there is'],
    ['ADMIN_KEY', 'has fewer than 32 characters'],
  ])
  expect(JSON.stringify(problems)).not.toContain('canary')
})
