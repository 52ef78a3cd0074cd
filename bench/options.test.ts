import { expect, test } from 'bun:test'
import { parseOptions, UsageError } from './options.ts'

test('without flags everything is measured in three rounds', () => {
  const options = parseOptions([])
  expect(options?.rounds).toBe(3)
  expect(options?.gateways).toContain('nginx')
  expect(options?.scenarios).toContain('auth')
})

test('a quick run has one round unless told otherwise', () => {
  expect(parseOptions(['--quick'])?.rounds).toBe(1)
  expect(parseOptions(['--quick', '--rounds', '2'])?.rounds).toBe(2)
  expect(parseOptions(['--quick', '--seconds', '2'])?.seconds).toBe(2)
})

test('chosen names come in the order of the report, each once', () => {
  expect(parseOptions(['--only', 'nginx, nexcode,nginx'])?.gateways).toEqual(['nexcode', 'nginx'])
})

test.each([
  ['--only apache'],
  ['--scenario c65'],
  ['--rounds 0'],
  ['--rounds many'],
  ['--seconds 61'],
  ['--fast'],
  ['nexcode'],
])('a command line that can not be followed is refused: %s', (line) => {
  expect(() => parseOptions(line.split(' '))).toThrow(UsageError)
})
