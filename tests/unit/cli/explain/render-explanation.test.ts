import { expect, test } from 'bun:test'
import { changesBetween } from '../../../../src/cli/explain/body-changes.ts'
import type { Explanation } from '../../../../src/cli/explain/explanation.ts'
import { renderExplanation } from '../../../../src/cli/explain/render-explanation.ts'

const TARGET = {
  target: 'up',
  method: 'POST',
  url: 'http://up.example/v1/x',
  key: 'none',
  body: '{}',
  isChanged: false,
}

function render(parts: Partial<Explanation>): string {
  const request = { method: 'POST', path: '/v1/x', model: undefined, principal: 'local', body: '{}' }
  return renderExplanation({
    ...{ config: 'nexcode.yaml', request, rules: [], notes: [] },
    ...{ refusal: undefined, ownAnswer: undefined, route: undefined },
    ...parts,
  })
}

const routeWith = (parts: object): NonNullable<Explanation['route']> => ({
  ...{ decidedBy: 'models.m', choice: undefined, attempts: 1, retryOn: [], targets: [TARGET] },
  ...parts,
})

test('one attempt is called that; causes in a row are one word', () => {
  expect(render({ route: routeWith({}) })).toContain('route    models.m; one attempt\n')
  const retryOn = ['connect', '429', '500', '501', '502', '599']
  expect(render({ route: routeWith({ attempts: 2, retryOn }) })).toContain('after connect, 429, 500-502, 599\n')
})

test('a body that is no object is shown, cut where it is long', () => {
  const body = `"${'x'.repeat(3000)}"`
  const shown = render({ route: routeWith({ targets: [{ ...TARGET, body, isChanged: true }] }) })
  expect(shown).toContain(`     body  "${'x'.repeat(1999)}… (3002 characters)\n`)
})

test('a refusal without a parameter is one of the request', () => {
  const error = { message: 'no', type: 'invalid_request_error', param: null, code: null }
  const rule = { rule: 1, outcome: 'refuses', mismatch: undefined, did: [] } as const
  const shown = render({ rules: [rule], refusal: { status: 400, error } })
  expect(shown).toContain('  1  ✗ refuses the request\n')
  expect(shown).toContain('✗ refused with 400 invalid_request_error: no\n')
})

test('rules are numbered so that they stand below each other, and none is said', () => {
  const rules = Array.from({ length: 10 }, (_one, n) => {
    return { rule: n + 1, outcome: 'applies', mismatch: undefined, did: [] } as const
  })
  expect(render({ rules })).toContain('   9  ✓ applies, and changes nothing\n  10  ✓ applies')
  expect(render({})).toContain('rules    none\n')
})

test('what differs between two bodies is told by path, long values cut', () => {
  const before = { model: 'a', keep: [1], format: { type: 'text', strict: true }, gone: 'x'.repeat(100) }
  const after = { model: 'b', keep: [1], format: { type: 'json', strict: true }, fresh: null }
  expect(changesBetween(JSON.stringify(before), JSON.stringify(after))).toEqual([
    { param: 'model', what: '"a" → "b"' },
    { param: 'format.type', what: '"text" → "json"' },
    { param: 'fresh', what: 'null (put in)' },
    { param: 'gone', what: `taken out (was "${'x'.repeat(58)}…)` },
  ])
  expect(changesBetween('{}', '{}')).toEqual([])
  expect(changesBetween('[]', '{}')).toBeUndefined()
  expect(changesBetween('{', '{}')).toBeUndefined()
})
