import { describe, expect, test } from 'bun:test'
import { describeCause, describeError } from '../../../src/telemetry/describe-error.ts'

/** Errors of the runtime, each with the word canary in its message or a property of its own. */
async function leakyErrors(): Promise<unknown[]> {
  const thrown: unknown[] = []
  const attempts = [
    () => JSON.parse('{"a": canary}'),
    () => new Headers({ a: 'canary\u0000' }),
    () => new Headers({ 'canary name': 'a' }),
    () => new URL('canary://'),
    () => fetch('http://127.0.0.1:9/v1/models?after=canary'),
    () => fetch('canary'),
    () => new Response('', { status: 200, statusText: 'canary\n' }),
    () => decodeURIComponent('%canary'),
    () => Promise.reject(Object.assign(new Error('failed'), { path: '/canary', headers: { a: 'canary' } })),
    () => Promise.reject(new Error('failed', { cause: new Error('canary') })),
    () => Promise.reject('said "canary"'),
  ]
  for (const attempt of attempts) {
    await Promise.try<unknown, []>(attempt).catch((error: unknown) => thrown.push(error))
  }
  expect(thrown.length).toBeGreaterThanOrEqual(8)
  return thrown
}

describe('an error in the log', () => {
  test('has no data in it, whatever the runtime put into its message and properties', async () => {
    for (const error of await leakyErrors()) {
      expect(JSON.stringify(describeError(error))).not.toContain('canary')
      expect(describeCause(error)).not.toContain('canary')
    }
  })

  test('keeps what a defect is found by: its type, our own source, and where it was thrown', () => {
    const none: { readonly part?: { readonly name: string } } = {}
    const error = (() => {
      try {
        return (none.part as { readonly name: string }).name
      } catch (thrown) {
        return thrown
      }
    })()
    const described = describeError(error)
    expect(described).toMatchObject({ type: 'TypeError', code: undefined })
    expect(described.message).toContain("evaluating 'none.part.name'")
    expect(described.stack).toMatch(/^ {4}at .*describe-error\.test\.ts/)
  })

  test.each([
    [
      'the code of a system error',
      Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:1'), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    [
      'the name and message of another',
      new DOMException('The operation timed out.', 'TimeoutError'),
      'TimeoutError: The operation timed out.',
    ],
    ['what is no quotation', new Error("the proxy doesn't answer CONNECT"), "Error: the proxy doesn't answer CONNECT"],
    ['words of ours', 'upstream answered with a page', 'upstream answered with a page'],
    ['what is no error', 7, 'number: 7'],
  ])('as a cause is one short line: %s', (_what, error, line) => {
    expect(describeCause(error)).toBe(line)
  })

  test('is never long', () => {
    expect(describeCause('x'.repeat(10_000)).length).toBeLessThanOrEqual(300)
    expect(describeError(new Error('x'.repeat(10_000))).message.length).toBeLessThanOrEqual(300)
  })
})
