import { isJsonObject } from '../../formats/json/json.ts'
import type { AdminObject } from './ask-admin.ts'

/** What OpenAI, and so this server, calls each first key of a service account. */
const FIRST_KEY = 'Secret Key'

/**
 * What a key is called for a person: by its service account, and by its own name where that says more.
 *
 * @example
 * keyLabel(key) // 'alice', or 'search-bot/second'
 */
export function keyLabel(key: AdminObject): string {
  const name = String(key['name'])
  const account = accountName(key)
  if (account === undefined || account === name) return name
  return name === FIRST_KEY ? account : `${account}/${name}`
}

/** The name of the service account that owns a key; undefined: none does. */
function accountName({ owner }: AdminObject): string | undefined {
  const account = isJsonObject(owner) ? owner['service_account'] : undefined
  return isJsonObject(account) ? String(account['name']) : undefined
}

/**
 * A name for a new key of a service account, where nobody has given one: `key-1`, `key-2`, …
 *
 * @example
 * freeKeyName([{ name: 'key-1' }]) // 'key-2'
 */
export function freeKeyName(accounts: readonly AdminObject[]): string {
  const numbers = accounts.map(({ name }) => Number(/^key-(\d{1,9})$/.exec(String(name))?.[1] ?? 0))
  return `key-${numbers.reduce((most, one) => Math.max(most, one), 0) + 1}`
}
