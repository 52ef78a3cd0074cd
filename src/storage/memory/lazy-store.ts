import type { Store, StoreStats } from '../store.ts'

const EMPTY: StoreStats = { entries: 0, bytes: 0 }

/**
 * Makes a store in memory that is opened when something is first looked for or kept in it: most servers never do.
 *
 * @example
 * const store = createLazyStore(() => createMemoryStore(bounds))
 */
export function createLazyStore(open: () => Store): Store {
  let opened: Store | undefined
  const store = (): Store => {
    opened ??= open()
    return opened
  }
  return {
    name: 'memory',
    get: (key) => opened?.get(key),
    set: (key, value, options) => store().set(key, value, options),
    delete: (key) => opened?.delete(key) ?? false,
    purge: (scope) => opened?.purge(scope) ?? 0,
    stats: () => opened?.stats() ?? EMPTY,
    close: () => opened?.close(),
  }
}
