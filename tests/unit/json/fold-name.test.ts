import { expect, test } from 'bun:test'
import { foldName } from '../../../src/json/fold-name.ts'

test.each([
  ['model', 'model'],
  ['MODEL', 'model'],
  ['Max_Tokens', 'max_tokens'],
  ['max_to\u212aens', 'max_tokens'],
  ['max_token\u017f', 'max_tokens'],
  ['response_format.type', 'response_format.type'],
  ['', ''],
  ['modèl', 'modèl'],
])('the name %j is %j where case does not count', (name, folded) => {
  expect(foldName(name)).toBe(folded)
})

test('folding what is folded changes nothing more, and other names stay apart', () => {
  for (const name of ['ß', 'İ', 'ı', 'MODÈL', 'model ', 'mödel', '\ud800']) {
    expect(foldName(foldName(name))).toBe(foldName(name))
    expect(foldName(name)).not.toBe('model')
  }
})
