import { expect, test } from 'bun:test'
import { EditedObject } from '../../../src/params/edited-object.ts'

test('a draft in which nothing differs is the very object that came, also after a look into it', () => {
  const base = { a: { x: 1 } }
  const draft = new EditedObject(base)
  draft.child('a')
  draft.set('b', 1)
  draft.remove('b')
  expect(draft.value()).toBe(base)
})

test('a draft leaves what came as it came', () => {
  const base = Object.freeze({ a: Object.freeze({ x: 1 }), b: 2 })
  const draft = new EditedObject(base)
  draft.child('a')?.set('x', 5)
  draft.rename('b', 'c')
  expect(draft.value()).toEqual({ a: { x: 5 }, c: 2 })
  expect(base).toEqual({ a: { x: 1 }, b: 2 })
})

test('a name that is put in where another was renamed away is a new one, and does not take its place', () => {
  const draft = new EditedObject({ a: 1 })
  draft.rename('a', 'b')
  draft.set('a', 2)
  const { moved, gone, added } = draft.changes()
  expect([...moved].map(([from, { name }]) => `${from} → ${name}`)).toEqual(['a → b'])
  expect([...gone]).toEqual(['b'])
  expect(added).toEqual(['a'])
  expect([draft.nameSent('a'), draft.nameSent('b')]).toEqual([undefined, 'a'])
})

test('a name that is removed and put in again keeps its place', () => {
  const draft = new EditedObject({ a: 1 })
  draft.remove('a')
  expect([draft.get('a'), draft.names()]).toEqual([undefined, []])
  draft.set('a', 2)
  expect(draft.changes().added).toEqual([])
  expect(draft.nameSent('a')).toBe('a')
})
