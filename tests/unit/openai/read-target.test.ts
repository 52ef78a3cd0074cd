import { expect, test } from 'bun:test'
import { readTarget } from '../../../src/openai/read-target.ts'
import { cpuMs } from '../../helpers/cpu-time.ts'

/** As many segments as a head has room for. */
const SEGMENTS = 8000
/** What reading a path anew for each of its segments would take is some ten times as much. */
const AT_MOST_MS = 2000

test('a path of thousands of segments is read in no more time than its length takes', () => {
  const begin = cpuMs()
  for (let number = 0; number < 20; number += 1) {
    const { call, named } = readTarget(`/v1/x${number}/${'a/'.repeat(SEGMENTS)}chat/completions`)
    expect(call).toBe('chat/completions')
    expect(named).toBeUndefined()
  }
  expect(cpuMs() - begin).toBeLessThan(AT_MOST_MS)
})

test('a call is found behind whatever stands before it, and a single word is no call', () => {
  expect(readTarget('/v1/a/b/c/images/edits').call).toBe('images/edits')
  expect(readTarget('/v1/deployments/m/extensions/embeddings').call).toBe('embeddings')
  expect(readTarget('/v1/fim/completions').call).toBeUndefined()
})
