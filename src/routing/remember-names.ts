const REMEMBERED_MAX = 1000
const NAME_CHARS_MAX = 256

/**
 * Makes a lookup by name remember what it has found for the last 1,000 names; names of more than 256 characters are looked
 * up each time. Names are the callers', so there is no end of them. What throws is not remembered.
 */
export function rememberNames<T>(lookUp: (name: string) => T): (name: string) => T {
  const found = new Map<string, T>()
  return (name) => {
    const known = found.get(name)
    if (known !== undefined) return known
    const result = lookUp(name)
    if (name.length > NAME_CHARS_MAX) return result
    if (found.size >= REMEMBERED_MAX) {
      const [oldest] = found.keys()
      if (oldest !== undefined) found.delete(oldest)
    }
    found.set(name, result)
    return result
  }
}
