/** A place in the tree. */
interface Place<T> {
  readonly next: Map<string, Place<T>>
  /** Behind an id, by the text that it begins with. */
  readonly ids: Map<string, Place<T>>
  /** By method, for a path that ends here, and for any rest of one. */
  readonly ends: Map<string, T>
  readonly rests: Map<string, T>
}

/** A segment that stands for any, or for those that begin with a text. */
const ID = /^\{(?:(.+)…|\w+)\}$/

/**
 * Finds what belongs to a method and a path, among patterns of paths: `files/{id}/content`, `chat/completions/{chatcmpl-…}` (an id that begins
 * so), `fine_tuning/**` (with any rest, or none). Words go before ids, and both before any rest; the method `any` is all others.
 *
 * @example
 * tree.add('GET', 'files/{id}', row)
 * tree.find('GET', ['files', 'file-1']) // row
 */
export class PathTree<T extends NonNullable<unknown>> {
  readonly #root: Place<T> = placeOf()

  add(method: string, path: string, value: T): void {
    const segments = path.split('/')
    const isRest = segments.at(-1) === '**'
    let place = this.#root
    for (const segment of isRest ? segments.slice(0, -1) : segments) {
      const id = ID.exec(segment)
      const [among, key] = id === null ? [place.next, segment] : [place.ids, id[1] ?? '']
      const next = among.get(key) ?? placeOf<T>()
      among.set(key, next)
      place = next
    }
    ;(isRest ? place.rests : place.ends).set(method, value)
  }

  find(method: string, segments: readonly string[]): T | undefined {
    return lookUp(this.#root, method, segments, 0)
  }
}

function lookUp<T>(place: Place<T>, method: string, segments: readonly string[], at: number): T | undefined {
  const segment = segments[at]
  if (segment === undefined) return of(place.ends, method) ?? of(place.rests, method)
  const next = place.next.get(segment)
  let found = next === undefined ? undefined : lookUp(next, method, segments, at + 1)
  for (const [beginning, behind] of place.ids) {
    if (found !== undefined) break
    if (segment.startsWith(beginning)) found = lookUp(behind, method, segments, at + 1)
  }
  return found ?? of(place.rests, method)
}

function of<T>(values: ReadonlyMap<string, T>, method: string): T | undefined {
  return values.get(method) ?? values.get('any')
}

function placeOf<T>(): Place<T> {
  return { next: new Map(), ids: new Map(), ends: new Map(), rests: new Map() }
}
