/** The texts around the one `*` of a name. */
export interface Wildcard {
  readonly prefix: string
  readonly suffix: string
}

/**
 * Whether a name stands for many.
 *
 * @example
 * isWildcard('gpt-*') // true
 */
export function isWildcard(name: string): boolean {
  return name.includes('*')
}

/**
 * Splits a name at its `*`; undefined: it has none. A name has one at most.
 *
 * @example
 * wildcardOf('gpt-*') // { prefix: 'gpt-', suffix: '' }
 */
export function wildcardOf(name: string): Wildcard | undefined {
  const at = name.indexOf('*')
  return at === -1 ? undefined : { prefix: name.slice(0, at), suffix: name.slice(at + 1) }
}

/**
 * Gives the text that the `*` stands for in a name that fits; undefined: it does not fit. The `*` may stand for nothing.
 *
 * @example
 * starIn({ prefix: 'gpt-', suffix: '' }, 'gpt-4o') // '4o'
 */
export function starIn({ prefix, suffix }: Wildcard, name: string): string | undefined {
  if (name.length < prefix.length + suffix.length || !name.startsWith(prefix) || !name.endsWith(suffix))
    return undefined
  return name.slice(prefix.length, name.length - suffix.length)
}

/**
 * Replaces the `*` of a name by a text, as it is: `$` means nothing in it.
 *
 * @example
 * fillStar('azure/*', '4o') // 'azure/4o'
 */
export function fillStar(name: string, text: string): string {
  return name.replaceAll('*', () => text)
}

/** Whether a text fits a pattern. */
export type Fits = (text: string) => boolean

/**
 * Prepares a list of patterns, in which `*` stands for any characters, or none; a text fits if it fits any of them.
 *
 * A text is scanned once for each pattern, however many stars that has.
 *
 * @example
 * const fits = compilePatterns(['gpt-*', 'o1'])
 * fits('gpt-4o') // true
 */
export function compilePatterns(patterns: readonly string[]): Fits {
  const plain = new Set(patterns.filter((pattern) => !isWildcard(pattern)))
  const starred = patterns.filter(isWildcard).map(compileStarred)
  return (text) => plain.has(text) || starred.some((fits) => fits(text))
}

function compileStarred(pattern: string): Fits {
  const [prefix = '', ...rest] = pattern.split('*')
  const suffix = rest.pop() ?? ''
  const inner = rest.filter((part) => part !== '')
  return (text) => {
    if (!text.startsWith(prefix) || !text.endsWith(suffix)) return false
    let at = prefix.length
    // The first place for each part leaves the most text for the parts behind it.
    for (const part of inner) {
      const found = text.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at + suffix.length <= text.length
  }
}
