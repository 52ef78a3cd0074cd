import { variable } from './litellm-values.ts'
import type { Note } from './untranslated.ts'

/** Gives a variable in place of a literal that may be a secret, and notes what to set it to. */
export type Hide = (literal: string, stem: string, path: string) => string

/**
 * Makes names of variables that begin with a stem and are numbered; the same literal has the same one.
 *
 * @example
 * const hide = createHide(note)
 */
export function createHide(note: Note): Hide {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  return (literal, stem, path) => {
    let name = names.get(literal)
    if (name === undefined) {
      const count = (counts.get(stem) ?? 0) + 1
      counts.set(stem, count)
      name = `${stem}_${count}`
      names.set(literal, name)
    }
    note(path, `is not copied, since it may be secret: set ${name} to it in the environment`)
    return variable(name)
  }
}
