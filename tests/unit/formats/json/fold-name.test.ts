import { expect, test } from 'bun:test'
import { foldName, foldsTo } from '../../../../src/formats/json/fold-name.ts'

test.each([
  ['model', 'model'],
  ['MODEL', 'model'],
  ['max_tokens', 'maxtokens'],
  ['Max_Tokens', 'maxtokens'],
  ['maxTokens', 'maxtokens'],
  ['max-tokens', 'maxtokens'],
  ['max.tokens', 'maxtokens'],
  ['max_to\u212aens', 'maxtokens'],
  ['max_token\u017f', 'maxtokens'],
  ['model[]', 'model'],
  [' model\u0000', 'model'],
  ['model\u0000\nx', 'model'],
  ['model\ud800\u200b', 'model'],
  ['top_2', 'top2'],
  ['', ''],
  ['modèl', 'modèl'],
  ['mode\u0300l', 'mode\u0300l'],
])('the name %j is %j where neither case nor what joins words counts', (name, folded) => {
  expect(foldName(name)).toBe(folded)
  expect(foldsTo(name, folded)).toBe(true)
  for (const other of ['model', 'maxtokens', 'modelx', 'mode', '', 'm']) {
    expect([other, foldsTo(name, other)]).toEqual([other, other === folded])
  }
})

test('folding what is folded changes nothing more, and other names stay apart', () => {
  for (const name of ['ß', 'İ', 'ı', 'MODÈL', 'models', 'mödel', '\ud800']) {
    expect(foldName(foldName(name))).toBe(foldName(name))
    expect(foldName(name)).not.toBe('model')
  }
})
