import { Secret } from './secret.ts'

/** The member that holds a secret's text where the secret travels as data. */
const MARK = '$secret'

/**
 * A copy of plain data in which each secret is an object with its text: for another process of ours, or to compare two
 * configurations. It must never be shown.
 *
 * @example
 * child.send(openSecrets(config))
 */
export function openSecrets(value: unknown): unknown {
  if (value instanceof Secret) return { [MARK]: value.reveal() }
  if (Array.isArray(value)) return value.map(openSecrets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, openSecrets(part)]))
}

/**
 * Turns the data of `openSecrets` back into secrets.
 *
 * @example
 * const config = closeSecrets<Config>(message.config)
 */
export function closeSecrets<T>(opened: unknown): T {
  return close(opened) as T
}

/**
 * Whether two values of plain data are the same, secrets included.
 *
 * @example
 * if (!areSameConfigs(before.settings, after.settings)) …
 */
export function areSameConfigs(one: unknown, other: unknown): boolean {
  return JSON.stringify(openSecrets(one)) === JSON.stringify(openSecrets(other))
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close)
  if (typeof value !== 'object' || value === null) return value
  if (MARK in value && typeof value[MARK] === 'string') return new Secret(value[MARK])
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, close(part)]))
}
