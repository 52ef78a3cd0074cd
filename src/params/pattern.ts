/** Whether a text fits. */
export type Fits = (text: string) => boolean

/**
 * Prepares a list of patterns, in which `*` stands for any characters, none among them; a text fits that fits any of them.
 *
 * A text is gone through once for each pattern, however many stars that has.
 *
 * @example
 * const fits = compilePatterns(['gpt-*', 'o1'])
 * fits('gpt-4o') // true
 */
export function compilePatterns(patterns: readonly string[]): Fits {
  const plain = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const starred = patterns.filter((pattern) => pattern.includes('*')).map(compileStarred)
  return (text) => plain.has(text) || starred.some((fits) => fits(text))
}

function compileStarred(pattern: string): Fits {
  const [prefix = '', ...rest] = pattern.split('*')
  const suffix = rest.pop() ?? ''
  const inner = rest.filter((part) => part !== '')
  return (text) => {
    if (!text.startsWith(prefix) || !text.endsWith(suffix)) return false
    let at = prefix.length
    // The first place for each part leaves the most for those behind it.
    for (const part of inner) {
      const found = text.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at + suffix.length <= text.length
  }
}
