import { Secret } from '../../src/config/secret.ts'

/** Secrets of texts: `keysOf('sk-1', 'sk-2')`. */
export function keysOf(...texts: readonly string[]): readonly Secret[] {
  return texts.map((text) => new Secret(text))
}

/** Pairs whose values are secrets, as an upstream's headers and query are: `pairsOf({ 'x-team': 'red' })`. */
export function pairsOf(values: Readonly<Record<string, string>>): readonly (readonly [string, Secret])[] {
  return Object.entries(values).map(([name, value]) => [name, new Secret(value)] as const)
}

/** A copy of plain data with each secret's text in its place, to be compared: two secrets look alike to a matcher. */
export function opened(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal()
  if (Array.isArray(value)) return value.map(opened)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, opened(part)]))
}
