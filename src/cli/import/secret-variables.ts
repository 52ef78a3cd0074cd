import { variable } from './litellm-values.ts'
import type { NoteUntranslated } from './untranslated.ts'

/** Replaces a literal that may be a secret by a variable, and lists the variable among the things left to do. */
export type Hide = (literal: string, stem: string, path: string) => string

/**
 * Makes the replacement: names of variables are a stem and a number, and the same literal gets the same variable.
 *
 * @example
 * const hide = createHide(note)
 */
export function createHide(note: NoteUntranslated): Hide {
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
