import { HOP_BY_HOP, TOKEN } from '../formats/http/hop-by-hop.ts'
import { type Fault, type Kind, quoteText, right, wrong } from './scalar-kinds.ts'
import { Secret } from './secret.ts'

const OPENAI_HOST = 'api.openai.com'
const OPENAI_PATH = '/v1'

/** A name without spaces, such as a model's. */
export const word: Kind<string> = {
  label: 'text',
  parse: (text) =>
    /[\s\p{Cc}]/u.test(text)
      ? wrong(`${quoteText(text)} has a space or a control character in it`, 'Take it out.')
      : right(text),
}

/** A path of a file that is read once, at the start. */
export const path: Kind<string> = {
  label: 'path',
  parse: (text) =>
    /\p{Cc}/u.test(text) ? wrong('has a control character in it', 'Use the path of a file.') : right(text),
}

/** A value that travels in a header, and so has visible ASCII characters only (RFC 9110 §5.5). */
export const headerValue: Kind<string> = { label: 'text', parse: parseHeaderValue }

/** A key: never shown. */
export const secret: Kind<Secret> = {
  label: 'secret',
  isSecret: true,
  parse(text) {
    const fault = headerFault(text)
    return fault === undefined ? right(new Secret(text)) : { ok: false, fault }
  },
}

/** The fault of a key or a token that is to travel in a header; undefined: none. */
export function headerFault(text: string): Fault | undefined {
  if (/^bearer\s/i.test(text))
    return { wrong: 'begins with "Bearer"', cure: 'Leave the word out: only the key itself.' }
  if (/\s/.test(text)) return { wrong: 'has whitespace inside', cure: 'Take it out: it cannot travel in a header.' }
  if (/[^\x21-\x7e]/.test(text)) {
    return { wrong: 'has characters that cannot travel in a header', cure: 'Use visible ASCII characters only.' }
  }
  // Files of variables keep the quotes that a shell would remove (docker run --env-file).
  if (/^(["']).*\1$/.test(text)) return { wrong: 'is wrapped in quotes', cure: 'Take the quotes away.' }
  return undefined
}

const TOKEN_NAME = new RegExp(`^${TOKEN}$`)

/** The headers that the gateway writes itself for each message, beside those of one connection. */
const OF_ONE_MESSAGE: ReadonlySet<string> = new Set(['host', 'content-length', 'content-type'])

/** The fault of a name of a header or of a query parameter; undefined: none. */
export function tokenFault(name: string): Fault | undefined {
  if (TOKEN_NAME.test(name)) return undefined
  return { wrong: 'is no name that can be sent', cure: 'Use letters, digits, "-" and "_"; no spaces, no colon.' }
}

/** The fault of the name of a header that a file sets; undefined: none. */
export function headerNameFault(name: string): Fault | undefined {
  const known = name.toLowerCase()
  if (!HOP_BY_HOP.has(known) && !OF_ONE_MESSAGE.has(known)) return tokenFault(name)
  return { wrong: 'is a header that the gateway writes itself', cure: 'Take it out.' }
}

/** The base of the upstream's URLs, without a slash at its end. Its text is never shown: it may hold a password. */
export const baseUrlKind: Kind<string> = {
  label: 'url',
  parse(text) {
    const url = URL.parse(text)
    const isWeb = /^https?:\/\/[^/]/i.test(text)
    if (url === null || !isWeb || /[\s\\\p{Cc}]/u.test(text)) {
      return wrong('is not an http or https URL', 'Write it in full, with http:// or https:// in front.')
    }
    if (/^[^/]*\/\/[^/?#]*@/.test(text)) {
      return wrong(
        'has a user name or password in it',
        'Take out what stands before the @; a key is set by OPENAI_API_KEY.',
      )
    }
    if (text.includes('?')) return wrong('has a query in it', 'Take out the ? and what follows it.')
    if (text.includes('#')) return wrong('has a fragment in it', 'Take out the # and what follows it.')
    const base = url.origin + url.pathname.replace(/\/+$/, '')
    if (url.hostname === OPENAI_HOST && base !== url.origin + OPENAI_PATH) {
      return wrong(`is on ${OPENAI_HOST} without the path ${OPENAI_PATH}`, `Use ${url.origin}${OPENAI_PATH}.`)
    }
    return right(base)
  },
}

/** A name or an address to listen on, in canonical form; IPv6 without brackets. */
export const listenHost: Kind<string> = {
  label: 'host',
  parse(text) {
    const isIpv6 = /^\[[\da-f:.]+\]$/i.test(text) || /^[\da-f.]*:[\da-f:.]*:[\da-f:.]*$/i.test(text)
    if (!isIpv6 && !/^[\w.-]+$/.test(text)) {
      return wrong(
        `${quoteText(text)} is not a host name or an IP address`,
        'Use a name or an address alone: no scheme, no port (that is PORT), no spaces.',
      )
    }
    // The server listens on the canonical form, so that an address that looks like loopback here is loopback there too.
    const name = isIpv6 ? `[${text.replace(/[[\]]/g, '')}]` : text
    const hostname = URL.parse(`http://${name}/`)?.hostname
    if (hostname === undefined) return wrong(`${quoteText(text)} is not a valid address`, 'Check its digits.')
    return right(hostname.replace(/[[\]]/g, ''))
  },
}

/**
 * Tells whether a canonical host can be reached from this machine only.
 * (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3, RFC 6761 §6.3)
 */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

/** Origins as a browser sends them (WHATWG Fetch, `Origin`), or `*`. */
export const originList: Kind<readonly string[]> = {
  label: 'origin list',
  parse(text) {
    const entries = splitList(text, ',')
    const origins = entries.map((entry) => (entry === '*' ? entry : toOrigin(entry)))
    const bad = origins.indexOf(undefined)
    if (bad === -1) return right([...new Set(origins.filter((origin) => origin !== undefined))])
    return wrong(
      `${quoteText(entries[bad] ?? '')} is not an origin${position(bad, entries.length)}`,
      'Use scheme://host or scheme://host:port, with nothing behind it (no path, no slash), or * alone for all.',
    )
  },
}

function parseHeaderValue(text: string): ReturnType<Kind<string>['parse']> {
  const fault = headerFault(text)
  return fault === undefined ? right(text) : { ok: false, fault }
}

function toOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._:[\]-]+$/i.test(text)) return undefined
  const url = URL.parse(text)
  if (url === null) return undefined
  // The origin of a scheme that is not http(s), such as an app's or an extension's, reads "null" here.
  return url.origin === 'null' ? text.toLowerCase() : url.origin
}

function splitList(text: string, separator: string | RegExp): string[] {
  return text
    .split(separator)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function position(index: number, count: number): string {
  return count === 1 ? '' : ` (entry ${index + 1} of ${count})`
}
