import { type Kind, quote, right, wrong } from './kind.ts'

const OPENAI_HOST = 'api.openai.com'
const OPENAI_PATH = '/v1'

/** The base of the upstream's URLs, without a slash at its end. Its text is never shown: it may hold a password. */
export const baseUrl: Kind<string> = {
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
        `${quote(text)} is not a host name or an IP address`,
        'Use a name or an address alone: no scheme, no port (that is PORT), no spaces.',
      )
    }
    // The canonical form is what is listened on, so that what looks like loopback here is loopback there too.
    const name = isIpv6 ? `[${text.replace(/[[\]]/g, '')}]` : text
    const hostname = URL.parse(`http://${name}/`)?.hostname
    if (hostname === undefined) return wrong(`${quote(text)} is not a valid address`, 'Check its digits.')
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
