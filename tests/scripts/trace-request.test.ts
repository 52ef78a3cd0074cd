import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instrument } from '../../scripts/trace/instrument.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trace-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SOURCE = `
interface Exchange { readonly id: number }
declare function unseen(): void
abstract class Base {
  #size: number
  constructor(size: number) { this.#size = size }
  get size(): number { return this.#size }
  abstract grow(): Base
}
class Leaf extends Base {
  constructor() {
    super(2)
  }
  override grow = (): Leaf => this
}
const double = (n: number) => (m: number) => n * m
const wrap = (n: number) => ({ n })
async function* count(exchange: Exchange, bytes: Uint8Array = new Uint8Array(1)) {
  yield exchange.id + bytes.length
}
const log: unknown[] = []
log.push(double(2)(3), wrap(4).n, new Leaf().grow().size)
for await (const n of count({ id: 6 })) log.push(n)
process.stdout.write(JSON.stringify({ log, trail: globalThis.trail }))
`

test('an instrumented copy does what the original does, and each function that is entered tells its number', async () => {
  const [root, copy] = [join(folder, 'root'), join(folder, 'copy')]
  mkdirSync(join(root, 'src/inner'), { recursive: true })
  mkdirSync(copy)
  writeFileSync(join(root, 'src/inner/all.ts'), SOURCE)
  writeFileSync(join(root, 'tsconfig.json'), '{ "include": ["src"] }')
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(folder, 'preload.ts'),
    'globalThis.trail = []; globalThis.nexcodeEnter = (id) => globalThis.trail.push(id)',
  )
  const functions = await instrument(root, copy)
  const command = [process.execPath, '--preload', join(folder, 'preload.ts'), join(copy, 'src/inner/all.ts')]
  const { stdout, stderr } = Bun.spawnSync(command)
  expect(stderr.toString()).toBe('')
  const { log, trail } = JSON.parse(stdout.toString()) as { log: unknown; trail: readonly number[] }
  expect(log).toEqual([6, 4, 2, 7])
  // The heads without a body have none; all others are entered in the order of the calls.
  const [base, size, leaf, grow, outer, inner, wrap, count] = [0, 1, 2, 3, 4, 5, 6, 7]
  expect(trail).toEqual([outer, inner, wrap, leaf, base, grow, size, count])
  expect(functions.map(({ file }) => file)).toEqual(functions.map(() => 'inner/all.ts'))
  expect(functions.map(({ takesExchange, takesBody }) => [takesExchange, takesBody])).toEqual([
    ...trail.slice(1).map(() => [false, false]),
    [true, true],
  ])
})
