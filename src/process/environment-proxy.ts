import { BlockList, isIP } from 'node:net'
import type { Env } from '../config/env-reader.ts'
import type { ProxyFor } from '../upstream/exact/proxy-of.ts'

/**
 * Reads an environment's `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. Names in small letters go before those in capitals, as
 * in curl and others. A proxy without a scheme is an `http://` one. undefined: the environment names no proxy.
 *
 * @example
 * const proxyFor = environmentProxy(process.env)
 */
export function environmentProxy(env: Env): ProxyFor | undefined {
  const all = read(env, 'ALL_PROXY')
  const proxies = { 'http:': read(env, 'HTTP_PROXY') ?? all, 'https:': read(env, 'HTTPS_PROXY') ?? all }
  if (proxies['http:'] === undefined && proxies['https:'] === undefined) return undefined
  const isDirect = readNoProxy(read(env, 'NO_PROXY') ?? '')
  return (url) => {
    const proxy = proxies[url.protocol === 'https:' ? 'https:' : 'http:']
    if (proxy === undefined || isDirect(url)) return undefined
    return new URL(proxy.includes('://') ? proxy : `http://${proxy}`)
  }
}

function read(env: Env, name: string): string | undefined {
  return [env[name.toLowerCase()], env[name]].map((value) => value?.trim()).find((value) => value)
}

/** An entry of NO_PROXY: a domain with all names below it, or an address or network. */
interface Exception {
  readonly excepts: (host: string) => boolean
  /** undefined: any port. */
  readonly port: string | undefined
}

const PORT_BEHIND = /^(.+?|\[.+\]):(\d{1,5})$/
/** A name that is always this machine (RFC 6761 §6.3), and its addresses. */
const LOCALHOST = /(?:^|\.)localhost$/
const LOOPBACK = ['127.0.0.1', '::1'] as const

/**
 * Reads NO_PROXY: domains (`example.com`, `.example.com` and `*.example.com` all mean it and all names below it), addresses and networks
 * (`10.0.0.0/8`, `fd00::/8`), each with or without a port, and `*` for all; separated by commas or white space, in any case. Other
 * entries have no effect. Names are not resolved.
 *
 * @example
 * const isDirect = readNoProxy('10.0.0.0/8, .internal, ollama:11434')
 * isDirect(new URL('http://10.1.2.3/v1')) // true
 */
export function readNoProxy(text: string): (url: URL) => boolean {
  const entries = text.toLowerCase().split(/[\s,]+/)
  if (entries.includes('*')) return () => true
  const exceptions = entries.filter((entry) => entry !== '').map(readEntry)
  return (url) => {
    const host = url.hostname.replace(/^\[|\]$|\.$/g, '')
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    return exceptions.some((one) => (one.port ?? port) === port && one.excepts(host))
  }
}

function readEntry(entry: string): Exception {
  // In an address without brackets, no colon separates a port.
  const [, before, port] = entry.split(':').length > 2 && !entry.startsWith('[') ? [] : (PORT_BEHIND.exec(entry) ?? [])
  const name = (before ?? entry).replace(/[[\]]/g, '')
  const network = readNetwork(name)
  if (network !== undefined) return { port, excepts: (host) => isWithin(host, network) }
  const domain = name.replace(/^\*?\./, '').replace(/\.$/, '')
  return { port, excepts: (host) => host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`)) }
}

/** Reads an address or a network; undefined: the text is neither. */
function readNetwork(text: string): BlockList | undefined {
  const [address = '', bits] = text.split('/')
  const family = isIP(address)
  const width = family === 4 ? 32 : 128
  if (family === 0 || (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > width))) return undefined
  const network = new BlockList()
  network.addSubnet(address, Number(bits ?? width), family === 4 ? 'ipv4' : 'ipv6')
  return network
}

function isWithin(host: string, network: BlockList): boolean {
  const addresses = LOCALHOST.test(host) ? LOOPBACK : [host]
  return addresses.some((address) => {
    const family = isIP(address)
    return family !== 0 && network.check(address, family === 4 ? 'ipv4' : 'ipv6')
  })
}
