/** A note that is kept beside an object of the platform, such as a `Request`. */
export interface Attachment<K extends object, V> {
  readonly get: (object: K) => V | undefined
  readonly set: (object: K, note: V) => void
}

/**
 * Makes a kind of note. It is kept on the object itself, under a symbol that nobody else has: a `WeakMap` does the same,
 * and costs the garbage collector a visit for each request.
 *
 * @example
 * const arrivals = createAttachment<Request, Arrival>('arrival')
 */
export function createAttachment<K extends object, V>(name: string): Attachment<K, V> {
  const key = Symbol(name)
  return {
    get: (object) => (object as { readonly [key]?: V })[key],
    set(object, note) {
      ;(object as { [key]?: V })[key] = note
    },
  }
}
