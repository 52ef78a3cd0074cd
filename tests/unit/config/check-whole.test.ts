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
