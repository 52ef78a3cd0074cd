import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { ENV_ROWS } from '../../../src/config/env.ts'
import { renderConfigProblems } from '../../../src/config/help-text.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { readFile } from './load-with-files.ts'

/** A word that is in no message of ours, with something behind it that may be refused. */
const secrets = fc
  .tuple(fc.stringMatching(/^[A-Z0-9]{10}$/), fc.constantFrom('', ' x', '\u0000', 'é', '\u001b[31m', ',', '\n'))
  .map(([word, tail]) => ({ word: `Q${word}Q`, text: `Q${word}Q${tail}z` }))

function textOfProblems(env: Record<string, string>, read: (path: string) => string): string {
  const loaded = loadConfig(env, { isTerminal: false, readFile: read })
  return loaded.ok ? '' : renderConfigProblems(loaded.problems)
}

test('no part of a secret is ever in a problem, whatever else is wrong', () => {
  let refused = 0
  fc.assert(
    fc.property(secrets, secrets, fc.boolean(), fc.boolean(), (key, token, isFile, isRequired) => {
      const env = isFile
        ? { API_TOKEN_FILE: '/token', OPENAI_API_KEY_FILE: '/key', TLS_KEY_FILE: '/key' }
        : {
            API_TOKEN: token.text,
            OPENAI_API_KEY: key.text,
            OPENAI_API_BASE: `http://u:${key.word}@h/?k=${token.word}`,
          }
      const read = (path: string): string => (path === '/key' ? key.text : token.text)
      const text = textOfProblems({ ...env, REQUIRE_AUTH: String(isRequired), PORT: 'x' }, read)
      expect(text).toContain('PORT')
      expect(text).not.toContain(key.word)
      expect(text).not.toContain(token.word)
      if (/^(API_TOKEN|OPENAI_API_KEY)/m.test(text)) refused += 1
    }),
    { seed: 3, numRuns: 300 },
  )
  expect(refused).toBeGreaterThan(100)
})

test('a key that was put into the wrong variable is not shown either', () => {
  for (const key of ['sk-proj-Q1w2E3r4', 'a'.repeat(64)]) {
    for (const row of ENV_ROWS) expect(textOfProblems({ [row.name]: key, PORT: 'x' }, readFile)).not.toContain(key)
  }
})

test('a problem carries no control character to the terminal', () => {
  for (const row of ENV_ROWS) {
    const text = textOfProblems({ [row.name]: 'a\u001b[31m\u009b\u0007b', OPENAI_API_KEY: 'a b' }, readFile)
    expect(text).toContain(row.name)
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  }
})
