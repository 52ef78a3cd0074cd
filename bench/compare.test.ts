import { expect, test } from 'bun:test'
import { parseCompareOptions } from './compare-options.ts'
import { ratioOfRounds, renderComparison } from './compare-report.ts'
import { UsageError } from './options.ts'

test('targets are gateways by name and binaries by path, with variables before them', () => {
  const options = parseCompareOptions([
    'bare',
    process.execPath,
    `LOG_LEVEL=warn ${process.execPath}`,
    process.execPath,
  ])
  expect([...(options?.targets.keys() ?? [])]).toEqual(['bare', 'bun.exe', 'LOG_LEVEL=warn bun.exe', 'bun.exe#4'])
  const place = { port: 1, upstreamPort: 2, dir: '/nowhere', setup: 'plain' } as const
  const { command, env } = options?.targets.get('LOG_LEVEL=warn bun.exe')?.launch(place) ?? {}
  expect(command).toEqual([process.execPath])
  expect(env?.['LOG_LEVEL']).toBe('warn')
})

test('loads are chosen by name, and what lies idle with them', () => {
  const options = parseCompareOptions(['bare', '--scenario', 'idle-streams,code'])
  expect(options?.scenarios.map(({ name }) => name)).toEqual(['code'])
  expect(options?.idle).toEqual(['streams'])
})

test.each([[''], ['no/such/binary'], ['bare --scenario c65'], ['bare --rounds 0'], ['bare --fast']])(
  'a command line that can not be followed is refused: %s',
  (line) => {
    expect(() => parseCompareOptions(line.split(' ').filter((word) => word !== ''))).toThrow(UsageError)
  },
)

test('a ratio is the median of those within each round', () => {
  expect(ratioOfRounds([2, 8, 3], [1, 4, 1])).toBe(2)
  expect(ratioOfRounds([2], [1, 4])).toBeNaN()
})

test('a comparison is a table: least, median, and the ratio to the first target', () => {
  const rows = [{ name: 'c64', unit: 'µs/request', values: { a: [10, 20], b: [20, 40], c: [] } }]
  const [, head, line] = renderComparison({ targets: ['a', 'b', 'c'], rounds: 2, seconds: 1, rows }).split('\n')
  expect(head?.split(/\s{2,}/)).toEqual(['load', 'unit', 'a', 'b', 'c'])
  expect(line?.split(/\s{2,}/)).toEqual(['c64', 'µs/request', '10.0 15.0', '20.0 30.0 2.00×', '–'])
})
