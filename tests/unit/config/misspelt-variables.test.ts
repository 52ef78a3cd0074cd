import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { findMisspelt, VARIABLE_NAMES } from '../../../src/config/misspelt-variables.ts'

/** Names that are long enough for one wrong letter to be told from another word. */
const LONG_NAMES = VARIABLE_NAMES.filter((name) => name.replaceAll('_', '').replace(/S$/, '').length >= 10)
const LETTER = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ')

/** A name with one letter wrong: another one, one too many, one too few, or two in the wrong order. */
const misspelt = fc
  .record({ name: fc.constantFrom(...LONG_NAMES), at: fc.nat(), letter: LETTER, fault: fc.nat(3) })
  .map(({ name, at: any, letter, fault }) => {
    const at = any % (name.length - 1)
    const ends = [name.slice(at), name.slice(at + 1), letter + name.slice(at + 1), swapFirst(name.slice(at))]
    return { name, word: name.slice(0, at) + (fault === 0 ? letter : '') + (ends[fault] ?? '') }
  })
  .filter(({ word }) => !VARIABLE_NAMES.some((one) => word === one || word.startsWith(`${one}_`)))

function swapFirst(text: string): string {
  return `${text[1] ?? ''}${text[0] ?? ''}${text.slice(2)}`
}

test('a variable with one letter wrong is told, whatever the letter and its place', () => {
  fc.assert(
    fc.property(misspelt, ({ name, word }) => {
      const [found] = findMisspelt({ [word]: 'x' })
      // The nearest one may be another name that is as near.
      expect(found?.name).toBe(word)
      expect(VARIABLE_NAMES).toContain(found?.meant ?? name)
    }),
  )
})

test('two neighbouring letters of a short name in the wrong order are told', () => {
  expect(findMisspelt({ PROT: '1' })).toEqual([{ name: 'PROT', meant: 'PORT' }])
  expect(findMisspelt({ HSOT: '1' })).toEqual([{ name: 'HSOT', meant: 'HOST' }])
})

test("other programs' variables are not told, nor are ours", () => {
  const others = ['PATH', 'HOME', 'LANG', 'TERM', 'EDITOR', 'KUBERNETES_SERVICE_HOST', 'POSTGRES_PORT', 'LOG_FILE']
  for (const name of [...others, ...VARIABLE_NAMES]) expect(findMisspelt({ [name]: 'x' })).toEqual([])
})
