import { defaultEntry } from '../ledger/first-records.ts'
import type { KeyEntry } from '../ledger/records.ts'
import type { Keys } from './admit-key.ts'

/** Callers' own keys are without number: so many are remembered. */
const REMEMBERED_MAX = 1024

/**
 * Makes the function that gives the entry of a caller who has no key of the ledger: it is of the default project. `id`: by which the books
 * know it. The same caller has the same entry until the ledger's records change, so that its limits are made once.
 *
 * @example
 * const entryFor = createDefaultEntries(directory)
 * const entry = entryFor('local')
 */
export function createDefaultEntries(
  keys: Pick<Keys, 'version' | 'project' | 'organization'>,
): (id: string) => KeyEntry {
  const made = new Map<string, KeyEntry>()
  let version: number | undefined
  return (id) => {
    if (keys.version !== version) {
      made.clear()
      version = keys.version
    }
    const known = made.get(id)
    if (known !== undefined) return known
    if (made.size >= REMEMBERED_MAX) made.clear()
    const entry = defaultEntry(id, keys)
    made.set(id, entry)
    return entry
  }
}
