import { missingKey, wrongKey } from './refusals.ts'

/**
 * Looks at the key of a request, as `Authorization: Bearer …`. Without a required key any will do, and none.
 *
 * `sk-invalid` is wrong always, so that people can see what a wrong key gives.
 *
 * @throws SimulatedError 401
 */
export function authenticate(headers: Headers, requiredKey: string | undefined): void {
  const key = /^bearer +(?<key>\S+) *$/i.exec(headers.get('authorization') ?? '')?.groups?.['key']
  if (key === 'sk-invalid') throw wrongKey(key)
  if (requiredKey === undefined || key === requiredKey) return
  throw key === undefined ? missingKey() : wrongKey(key)
}
