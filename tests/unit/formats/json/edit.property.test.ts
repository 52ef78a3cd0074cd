import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { applyEdits, changeMembers, renameKey, replaceValue } from '../../../../src/formats/json/edit.ts'
import { membersOf, objectStart } from '../../../../src/formats/json/members.ts'
import { bytesOf, OBJECT_TEXT, textOf } from './json-texts.ts'

type Fate = 'stays' | 'goes' | 'is renamed' | 'is replaced'

const FATE = fc.constantFrom<Fate>('stays', 'stays', 'goes', 'is renamed', 'is replaced')

test('any object with some members removed, renamed, replaced and inserted holds just what it should', () => {
  fc.assert(
    fc.property(OBJECT_TEXT, fc.infiniteStream(FATE), fc.nat({ max: 2 }), (text, fates, insertions) => {
      const bytes = bytesOf(text)
      const members = membersOf(bytes).map((member) => ({ member, fate: fates.next().value as Fate }))
      const inserted = Array.from({ length: insertions }, (_, index) => [`new ${index}`, `[${index}]`] as const)
      const removed = new Set(members.filter(({ fate }) => fate === 'goes').map(({ member }) => member))
      const edits = [
        ...members.filter(({ fate }) => fate === 'is renamed').map(({ member }) => renameKey(member, 'renamed')),
        ...members.filter(({ fate }) => fate === 'is replaced').map(({ member }) => replaceValue(member, '"replaced"')),
        ...changeMembers(
          objectStart(bytes),
          members.map(({ member }) => member),
          { removed, inserted },
        ),
      ]

      const changed = applyEdits(bytes, edits)

      expect(() => JSON.parse(textOf(changed))).not.toThrow()
      const found = membersOf(changed).map(({ key, valueStart, valueEnd }) => {
        return [key, textOf(changed.subarray(valueStart, valueEnd))] as const
      })
      const expected = members
        .filter(({ fate }) => fate !== 'goes')
        .map(({ member: { key, valueStart, valueEnd }, fate }) => {
          const value = textOf(bytes.subarray(valueStart, valueEnd))
          return [fate === 'is renamed' ? 'renamed' : key, fate === 'is replaced' ? '"replaced"' : value] as const
        })
      expect(found).toEqual([...inserted, ...expected])
    }),
    { numRuns: 1000 },
  )
})
