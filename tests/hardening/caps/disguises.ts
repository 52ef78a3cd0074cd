import type { Random } from '../random.ts'

/** What is to be hidden: a name, and a value as JSON text. */
export interface Hidden {
  readonly name: string
  readonly value: string
}

/** The same as a member of a JSON text: the name with its quotes. */
export interface Shown {
  readonly shown: string
  readonly text: string
}

const hex = (code: number): string => code.toString(16).padStart(4, '0')

/** How a name can be written so that some server still takes it for itself. */
const DISGUISES: readonly ((name: string, random: Random) => string)[] = [
  (name) => name.toUpperCase(),
  (name) => name.charAt(0).toUpperCase() + name.slice(1),
  (name) => name.replace(/_(.)/g, (_all, letter: string) => letter.toUpperCase()),
  (name, random) => {
    const at = random.below(name.length)
    return `${name.slice(0, at)}\\u${hex(name.charCodeAt(at))}${name.slice(at + 1)}`
  },
  (name) => name.replace('k', '\u212a').replace('s', '\u017f'),
  (name) => name.replace('s', '\\u017F'),
  (name) => `${name}\\u0000`,
  (name) => `${name}\\u0000x`,
  (name) => `${name}[]`,
  (name) => `${name}[0]`,
  (name) => `[${name}]`,
  (name) => ` ${name}`,
  (name) => `${name} `,
  (name) => name.replaceAll('_', '.'),
  (name) => name.replaceAll('_', '-'),
  (name) => name.replaceAll('_', ' '),
  (name) => name.replaceAll('_', ''),
  (name) => `${name}\\ud800`,
  (name) => `\\ufeff${name}`,
  (name) => name,
]

/**
 * Hides a name, in so many of a hundred cases; else it is what it is.
 *
 * @example
 * const { shown, text } = disguise(random, { name: 'model', value: '"dear"' }, 80)
 */
export function disguise(random: Random, { name, value }: Hidden, chance: number): Shown {
  const written = random.percent(chance) ? random.pick(DISGUISES)(name, random) : name
  return { shown: `"${written}"`, text: value }
}
