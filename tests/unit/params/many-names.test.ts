import { expect, test } from 'bun:test'
import { JsonBody } from '../../../src/formats/json/json-body.ts'
import { cpuMs } from '../../helpers/cpu-time.ts'
import { bytesOf } from '../formats/json/json-texts.ts'
import { applied, outcome, programOf } from './rule-programs.ts'

/** An object with so many names that no rule knows. */
function textWith(count: number, more = ''): string {
  return `{"model":"m"${more}${Array.from({ length: count }, (_, at) => `,"k${at}":0`).join('')}}`
}

test('many names that are not allowed are taken out, and the header names as many as it has room for', () => {
  const program = programOf({ allow: ['model'], onViolation: 'drop' })
  const { text, receipt: done } = applied(program, textWith(9000))
  expect(text).toBe('{"model":"m"}')
  expect(done.startsWith('allow=k0,k1,')).toBe(true)
  expect(done.endsWith('...')).toBe(true)
  expect(done.length).toBeLessThan(1100)
})

test('more than ten thousand are refused, in words that say so', () => {
  const program = programOf({ allow: ['model'], onViolation: 'drop' })
  expect(outcome(program, textWith(10_001))).toMatchObject({
    message: expect.stringContaining('more than 10000 parameters') as string,
  })
})

test.each([
  ['allow', { allow: ['model', 'max_tokens'], onViolation: 'drop' as const }],
  ['allow, with what is put in', { allow: ['model'], onViolation: 'drop' as const, defaults: { user: 'x' } }],
  ['allow, with renames', { allow: ['model', 'b'], onViolation: 'drop' as const, rename: { a: 'b' }, drop: ['x.y'] }],
  ['clamp', { clamp: { max_tokens: { min: undefined, max: 5 } } }],
])('twice as many names take about twice as long: %s', (_, rule) => {
  const program = programOf(rule)
  const timeOf = (count: number): number => {
    const text = textWith(count, ',"max_tokens":9')
    const body = new JsonBody(bytesOf(text), JSON.parse(text))
    const began = cpuMs()
    program.apply(body)
    return cpuMs() - began
  }
  const fastest = (count: number): number => Math.min(...Array.from({ length: 7 }, () => timeOf(count)))
  fastest(500)
  // The square would be 64 times as much.
  expect(fastest(8000)).toBeLessThan(fastest(1000) * 30 + 20)
})
