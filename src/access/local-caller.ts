import type { Config } from '../config/config.ts'
import { tellsOfProxy } from './forwarding-headers.ts'

/** A request as it came, before any change by an extension. */
export interface Received {
  readonly received: Headers
  readonly isHttp10: boolean
  readonly requestTarget: string
}

/** Whether programs of this machine are lent the server's key: it can only be reached from here, and nobody has forbidden it. */
export function lendsToLocal({ server, auth }: Pick<Config, 'server' | 'auth'>): boolean {
  return server.isLoopback && auth.lendsToLocal
}

/**
 * Tells whether a caller of a loopback server is a program of this machine, and not a web page in a browser
 * on it, or a stranger behind a proxy on it: those may not spend the server's key.
 *
 * A web page shows by its `Origin` or, after DNS rebinding, by a public name as the Host. A proxy shows by its headers;
 * by its own name for this server; or by HTTP/1.0, which nginx speaks by default and programs don't.
 * A proxy without any of these can't be told from a program (ADR 4).
 */
export function isLocalCaller(
  { received, isHttp10 }: Omit<Received, 'requestTarget'>,
  corsOrigins: readonly string[],
): boolean {
  if (isHttp10 || !isOwnName(hostnameOf(received.get('host') ?? '')) || tellsOfProxy(received)) return false
  const origin = received.get('origin')
  if (origin === null) return received.get('sec-fetch-site') !== 'cross-site'
  return corsOrigins.includes(origin) || isPrivateOrigin(origin)
}

function isPrivateOrigin(origin: string): boolean {
  const url = URL.parse(origin)
  return url !== null && isLoopbackName(url.hostname)
}

/** The names by which containers call the machine that they run on. */
const MACHINE_OF_CONTAINERS = /^(?:host|gateway)\.(?:docker|containers|lima|orb)\.internal$/

/** A name by which a program of this machine reaches a server that listens on loopback only. */
function isOwnName(name: string): boolean {
  return isLoopbackName(name) || name === '0.0.0.0' || name === '[::]' || MACHINE_OF_CONTAINERS.test(name)
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d+){3}$/.test(name)
}

function hostnameOf(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}
