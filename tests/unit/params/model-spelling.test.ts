import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createSpelling } from '../../../src/params/model-spelling.ts'

const KNOWN = ['gpt-4o', 'o1-*', 'Org/Model', 'mini', 'MINI']
const assertSpelling = createSpelling(KNOWN)

function isRefused(model: string): boolean {
  try {
    assertSpelling(model)
    return false
  } catch {
    return true
  }
}

test.each([
  'GPT-4o',
  ' gpt-4o',
  'gpt-4o\n',
  'gpt-4o\0',
  'gpt\u200b-4o',
  'ｇｐｔ-4o',
  'O1-preview',
  'o1\u00a0-x',
  'org/model',
  'ORG/MODEL',
  'Mini',
  'models/gpt-4o',
])('%j is refused, since some server takes it for a known name', (model) => {
  expect(isRefused(model)).toBe(true)
  // Also what is remembered.
  expect(isRefused(model)).toBe(true)
})

test.each(['gpt-4o', 'o1-preview', 'o1-Preview', 'Org/Model', 'mini', 'MINI', 'gpt-4o-mini', 'other', 'GPT-5', ''])(
  '%j is a name of its own',
  (model) => {
    expect(isRefused(model)).toBe(false)
  },
)

const spelt = (character: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    character,
    character.toUpperCase(),
    ` ${character}`,
    `${character}\t`,
    `\u2060${character}`,
    String.fromCodePoint((character.codePointAt(0) ?? 0) + 0xfee0),
  )

test('no spelling of a known name is taken for another model', () => {
  fc.assert(
    fc.property(fc.tuple(...[...'gpt-4o'].map(spelt)), (letters) => {
      const model = letters.join('')
      expect(isRefused(model)).toBe(model !== 'gpt-4o')
    }),
    { numRuns: 500 },
  )
})
