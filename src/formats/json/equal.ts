import { isJsonObject } from './json.ts'

/**
 * Whether two values of JSON are equal: numbers by value, arrays in order, objects in any order of their names.
 *
 * @example
 * isEqualJson({ a: 1, b: [2] }, { b: [2], a: 1 }) // true
 */
export function isEqualJson(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) && one.length === other.length && one.every((item, index) => isEqualJson(item, other[index]))
    )
  }
  if (!isJsonObject(one) || !isJsonObject(other)) return false
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isEqualJson(one[name], other[name]))
  )
}

/**
 * Counts the names in all objects of a value. If its text has more members, some name occurs more than once there.
 *
 * @example
 * countKeys({ a: { b: 1 } }) // 2
 */
export function countKeys(value: unknown): number {
  let count = 0
  // This is not recursive: callers nest as deep as they like.
  const open: unknown[] = [value]
  while (open.length > 0) {
    const one = open.pop()
    if (typeof one !== 'object' || one === null) continue
    // A list of a million numbers is not copied.
    const inner: readonly unknown[] = Array.isArray(one) ? one : Object.values(one)
    if (inner !== one) count += inner.length
    for (const item of inner) if (typeof item === 'object' && item !== null) open.push(item)
  }
  return count
}
