import { missingKey, wrongKey } from './refusals.ts'

/**
 * Looks at the key of a request, as `Authorization: Bearer …`, or alone in another header. Without a required key any will do, and none.
 *
 * `sk-invalid` is wrong always, so that people can see what a wrong key gives.
 *
 * @throws SimulatedError 401
 */
export function authenticate(headers: Headers, requiredKey: string | undefined, keyHeader: string): void {
  const key = keyIn(headers, keyHeader)
  if (key === 'sk-invalid') throw wrongKey(key)
  if (requiredKey === undefined || key === requiredKey) return
  throw key === undefined ? missingKey() : wrongKey(key)
}

function keyIn(headers: Headers, keyHeader: string): string | undefined {
  const value = headers.get(keyHeader)
  if (keyHeader !== 'authorization') return value ?? undefined
  return /^bearer +(?<key>\S+) *$/i.exec(value ?? '')?.groups?.['key']
}
