import { expect, test } from 'bun:test'
import { checkWhole } from '../../../src/config/check-whole.ts'
import { loadGood } from './load-with-files.ts'

test('REQUIRE_AUTH=true without a token is refused, with the command that makes one', () => {
  for (const env of [{}, { API_TOKEN: '' }, { API_TOKEN: ' , ' }]) {
    // The file may have a ledger, whose keys let callers in: both together are judged.
    const [problem, ...others] = checkWhole(loadGood({ REQUIRE_AUTH: 'true', ...env }))
    expect(others).toEqual([])
    expect(problem).toMatchObject({ name: 'API_TOKEN', wrong: 'is missing, though REQUIRE_AUTH is true' })
    expect(problem?.cure).toContain('openssl rand -hex 32')
  }
})

test('a key that manages is no token of a caller, and neither is shown', () => {
  const key = 'the-key-that-manages-0123456789ab'
  const env = { LEDGER: 'memory', ADMIN_KEY: key, REQUIRE_AUTH: 'true' }
  expect(checkWhole(loadGood({ ...env, API_TOKEN: 'another-token-of-a-caller' }))).toEqual([])
  const problems = checkWhole(loadGood({ ...env, API_TOKEN: `alice:${key},bob:another-token-of-a-caller` }))
  expect(problems).toMatchObject([{ name: 'ADMIN_KEY', wrong: expect.stringContaining('is one of API_TOKEN') }])
  expect(JSON.stringify(problems)).not.toContain(key)
})
