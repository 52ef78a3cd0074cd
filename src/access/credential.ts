import { KEY_HEADERS, SUBPROTOCOLS_HEADER, subprotocolKeys } from '../formats/http/credential-headers.ts'

const [BEARER_HEADER, ...BARE_KEY_HEADERS] = KEY_HEADERS

/**
 * Reads the caller's key or token: `Authorization: Bearer` (RFC 6750, the scheme in any case) or `Basic` with
 * the key as the password (RFC 7617), else `x-api-key`, `api-key`, or the realtime API's subprotocol.
 */
export function readCredential(headers: Headers): string | undefined {
  const key = fromAuthorization(headers.get(BEARER_HEADER))
  if (key !== undefined) return key
  for (const name of BARE_KEY_HEADERS) {
    const bare = nonEmpty(headers.get(name))
    if (bare !== undefined) return bare
  }
  return nonEmpty(subprotocolKeys(headers.get(SUBPROTOCOLS_HEADER))[0])
}

const BEARER = /^Bearer \S+$/

function fromAuthorization(value: string | null): string | undefined {
  if (value === null) return undefined
  // Nearly all clients write it so; the code below is for the others.
  if (BEARER.test(value)) return value.slice('Bearer '.length)
  const text = value.trim()
  const space = text.search(/\s/)
  // A bare scheme is no credential; a bare word is one, in a scheme of its own that the upstream may know.
  if (space === -1) return /^(bearer|basic)?$/i.test(text) ? undefined : text
  const rest = text.slice(space).trim()
  return text.slice(0, space).toLowerCase() === 'basic' ? passwordOf(rest) : nonEmpty(rest)
}

function passwordOf(encoded: string): string | undefined {
  try {
    const pair = atob(encoded)
    return nonEmpty(pair.slice(pair.indexOf(':') + 1))
  } catch {
    return encoded
  }
}

function nonEmpty(value: string | null | undefined): string | undefined {
  const text = value?.trim() ?? ''
  return text === '' ? undefined : text
}
