import { expect, test } from 'bun:test'
import { findObjectId } from '../../../src/stream/object-id.ts'

function idsIn(...pieces: readonly string[]): { readonly ids: readonly string[]; readonly needsMore: boolean } {
  const ids: string[] = []
  const find = findObjectId((id) => void ids.push(id))
  let needsMore = true
  for (const piece of pieces) if (needsMore) needsMore = find(new TextEncoder().encode(piece))
  return { ids, needsMore }
}

test('the first id is found, however the beginning is cut', () => {
  const text = 'data: {"é":1,"response":{"id" : "resp_12345", "other":{"id":"item_12345"}}}'
  for (let at = 0; at < text.length; at += 1) {
    expect(idsIn(text.slice(0, at), text.slice(at))).toEqual({ ids: ['resp_12345'], needsMore: false })
  }
})

test('an id is looked for in the beginning only, and no more is asked for behind it', () => {
  expect(idsIn('x'.repeat(4000))).toEqual({ ids: [], needsMore: true })
  expect(idsIn('x'.repeat(4000), 'y'.repeat(96))).toEqual({ ids: [], needsMore: false })
  expect(idsIn('x'.repeat(5000), '"id":"resp_12345"')).toEqual({ ids: [], needsMore: false })
})

test('what is too short, too long or no string is no id', () => {
  for (const value of ['"a"', '5', 'null', `"${'x'.repeat(257)}"`, '"a b c d e f"']) {
    expect(idsIn(`{"id":${value}}`).ids).toEqual([])
  }
})
