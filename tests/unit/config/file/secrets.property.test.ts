import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { renderFileProblems } from '../../../../src/config/file/problems.ts'
import { readDocument } from '../../../../src/config/file/read-document.ts'
import { EXAMPLE, EXAMPLE_ENV } from '../example.ts'
import { load, variable } from '../load-file.ts'
import { changeAt, changes, placesOf } from './mutate.ts'

/** A word that is in no message of ours, with something behind it that may be refused. */
const secrets = fc
  .tuple(
    fc.stringMatching(/^[A-Z0-9]{10}$/),
    fc.constantFrom('', ' x', '\u0007', 'é', '\u001b[31m', '${', '*', '/', '..'),
  )
  .map(([word, tail]) => ({ word: `Q${word}Q`, text: `Q${word}Q${tail}z` }))

const { value: example } = readDocument(EXAMPLE, (text) => ({ ok: true, value: { text, hasVariable: false } }))
const places = placesOf(example)
const secretPlaces = places.filter((path) =>
  /\.(api_keys?|headers\.[^.]+|query\.[^.]+|proxy)(\.\d)?$/.test(path.join('.')),
)

function problemsText(file: unknown, env: Record<string, string>): string {
  const loaded = load(JSON.stringify(file), { ...EXAMPLE_ENV, ...env })
  return loaded.ok ? '' : renderFileProblems(loaded.problems)
}

test('the value of a variable is never in a problem, wherever it stands and whatever else is wrong', () => {
  let refused = 0
  fc.assert(
    fc.property(secrets, fc.constantFrom(...places), changes, fc.boolean(), (secret, place, change, isPart) => {
      const text = isPart ? `a ${variable('CANARY')} b` : variable('CANARY')
      const file = changeAt(change(example), place, () => text)
      const problems = problemsText(file, { CANARY: secret.text })
      expect(problems).not.toContain(secret.word)
      if (problems !== '') refused += 1
    }),
    { seed: 7, numRuns: 1000 },
  )
  expect(refused).toBeGreaterThan(500)
})

test('a key, a header, a query parameter or a proxy that stands in the file itself is never in a problem', () => {
  let refused = 0
  fc.assert(
    fc.property(secrets, fc.constantFrom(...secretPlaces), fc.boolean(), (secret, place, isList) => {
      const problems = problemsText(
        changeAt(example, place, () => (isList ? [secret.text] : secret.text)),
        {},
      )
      expect(problems).not.toContain(secret.word)
      if (problems !== '') refused += 1
    }),
    { seed: 8, numRuns: 500 },
  )
  expect(secretPlaces).toHaveLength(9)
  expect(refused).toBeGreaterThan(200)
})

test('a problem carries no control character to the terminal', () => {
  for (const place of places) {
    const problems = problemsText(
      changeAt(example, place, () => 'a\u001b[31m\u009b\u0007b'),
      {},
    )
    expect(problems.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  }
})
