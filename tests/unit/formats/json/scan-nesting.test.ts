import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { assembleWasm } from '../../../../src/formats/json/assemble-wasm.ts'
import type { Nesting } from '../../../../src/formats/json/nesting.ts'
import { SCANNED_BLOCK_BYTES } from '../../../../src/formats/json/nesting-code.ts'
import { scanByBytes, scanNesting } from '../../../../src/formats/json/scan-nesting.ts'

/** Bytes of which most have a meaning to the scan, some of them in long runs. */
const BYTES = fc
  .array(
    fc.tuple(fc.constantFrom(...'"\\{}[]: a/d\u00ff', '"', '\\', '"id":'), fc.constantFrom(1, 1, 1, 2, 3, 64, 130)),
    {
      maxLength: 60,
    },
  )
  .map((runs) => Buffer.from(runs.map(([byte, times]) => byte.repeat(times)).join(''), 'latin1'))

test('the scan by blocks finds what the scan by bytes finds, in whole blocks and at the end', () => {
  fc.assert(
    fc.property(BYTES, fc.integer({ min: 1, max: 70 }), fc.boolean(), fc.boolean(), (bytes, depth, ...flags) => {
      const [isInString, isEscaped] = flags
      const [one, other]: Nesting[] = [
        { depth, isInString, isEscaped },
        { depth, isInString, isEscaped },
      ]
      const whole = bytes.subarray(0, bytes.length - (bytes.length % SCANNED_BLOCK_BYTES))
      if (one === undefined || other === undefined) throw new Error('there are two')
      const end = scanNesting(whole, one)
      expect(end).toBe(scanByBytes(whole, other))
      if (end !== -1) return
      expect(one).toEqual(other)
      const rest = bytes.subarray(whole.length)
      expect(scanNesting(rest, one)).toBe(scanByBytes(rest, other))
    }),
    { numRuns: 3000 },
  )
})

test('a function of WebAssembly is made of its text', () => {
  const code = {
    name: 'largest',
    params: ['one', 'other'],
    locals: { i32: [], i64: [], v128: [] },
    body: `
      ;; A comment.
      local.get $one local.get $other i32.gt_s if local.get $one return end
      local.get $other i32.const -70000 i32.add i32.const 70000 i32.add`,
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assembleWasm(code)))
  const largest = exports['largest'] as (one: number, other: number) => number
  expect([largest(1, 2), largest(-3, -100_000), largest(5, 5)]).toEqual([2, -3, 5])
  expect(() => assembleWasm({ ...code, body: 'i32.divide' })).toThrow('no instruction: i32.divide')
  expect(() => assembleWasm({ ...code, body: 'local.get $nobody' })).toThrow('no instruction: $nobody')
})
