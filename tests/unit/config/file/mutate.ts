import fc from 'fast-check'

/** What stands in the place of something else. */
const OTHERS: readonly unknown[] = [
  ...[null, 0, 1, -1, 1.5, 99, 503, 1e6, true, false, '', 'x', '5s', '5 minutes', 'connect', 'refuse', 'openai'],
  ...[[], {}, [1], ['x'], ['x', ''], { a: 1 }, { a: 'x' }, { a: ['x'] }, [{}], [{ upstream: 'a' }]],
]

/** A change at a random place of a JSON value: something else there, nothing there, or one key more. */
export const changes: fc.Arbitrary<(value: unknown) => unknown> = fc
  .tuple(fc.nat(), fc.constantFrom('replace', 'remove', 'add'), fc.constantFrom(...OTHERS))
  .map(([at, action, other]) => (value) => {
    const places = placesOf(value)
    const place = places[at % places.length] ?? []
    return changeAt(value, place, (item) => {
      if (action === 'replace') return other
      if (action === 'remove') return undefined
      return typeof item === 'object' && item !== null && !Array.isArray(item) ? { ...item, surplus: other } : other
    })
  })

/** The paths of all that is in a JSON value, from the outside in; not the value itself. */
export function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path]
  const below = Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]))
  return path.length === 0 ? below : [path, ...below]
}

/** The value with another one at a path, where that is there; undefined takes it out. */
export function changeAt(value: unknown, path: readonly string[], change: (item: unknown) => unknown): unknown {
  const [key, ...others] = path
  if (key === undefined) return change(value)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
    const changed = name === key ? changeAt(item, others, change) : item
    return changed === undefined ? [] : [[name, changed]]
  })
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries)
}
