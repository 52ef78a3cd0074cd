import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '../config/config.ts'
import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import type { Settings } from '../config/settings.ts'
import { createEgress } from '../upstream/egress.ts'
import { type ProxyFor, proxyOf } from '../upstream/exact/proxy-of.ts'
import { OwnAddressError } from './start-failure.ts'

type Listening = Pick<Config['server'], 'host' | 'port'>

/** The longest wait for a name server: a silent one must not keep the gateway from starting. */
const LOOKUP_MS = 2000
const LOOPBACK = ['127.0.0.1', '::1'] as const
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * Rejects with an `OwnAddressError` when the base URL of an upstream is an address that this server listens on, under any name.
 * Clients set `OPENAI_BASE_URL` to this server's address, and a server that is started from their shell inherits it.
 *
 * @example
 * await refuseOwnAddress(config.settings, config.server, proxyFor)
 */
export async function refuseOwnAddress(
  settings: Settings,
  server: Listening,
  proxyFor: ProxyFor | undefined,
): Promise<void> {
  const suspects = settings.upstreams.filter((upstream) => mayBeOwn(upstream, server.port, proxyFor))
  if (suspects.length === 0) return
  const own = await addressesOf(server.host)
  const found = await Promise.all(suspects.map((upstream) => leadsTo(upstream, server, own)))
  const problems = suspects.filter((_one, at) => found[at]).map(describe)
  if (problems.length > 0) throw new OwnAddressError(problems)
}

/** Whether an upstream may be this server. Behind a proxy, the proxy resolves the name; a loop there is noticed by its first call. */
function mayBeOwn(upstream: UpstreamSettings, port: number, proxyFor: ProxyFor | undefined): boolean {
  const url = new URL(upstream.baseUrl)
  if (portOf(url) !== port) return false
  try {
    return proxyOf(createEgress(upstream).reach, url, proxyFor) === undefined
  } catch {
    return false
  }
}

async function leadsTo({ baseUrl }: UpstreamSettings, { host }: Listening, own: readonly string[]): Promise<boolean> {
  const name = nameOf(baseUrl)
  const isEverywhere = WILDCARDS.has(host)
  if (isEverywhere && name === hostname().toLowerCase()) return true
  const local = isEverywhere ? [...own, ...machineAddresses()] : own
  const within = listOf(local)
  // All addresses of 127.0.0.0/8 are this machine, and 0.0.0.0 leads there as well (RFC 1122 §3.2.1.3).
  if (isEverywhere) within.addSubnet('127.0.0.0', 8, 'ipv4')
  if (local.some((address) => LOOPBACK.includes(address as '::1'))) for (const none of WILDCARDS) add(within, none)
  return (await addressesOf(name)).some((address) => within.check(address, familyOf(address)))
}

/** Gives the addresses of a name or an address; none when the name does not resolve. */
async function addressesOf(name: string): Promise<readonly string[]> {
  if (WILDCARDS.has(name)) return [name, ...LOOPBACK]
  if (isIP(name) !== 0) return [name]
  if (/(?:^|\.)localhost$/.test(name)) return LOOPBACK
  const found = lookup(name, { all: true }).catch(() => [])
  const late = new Promise<[]>((resolve) => void setTimeout(() => resolve([]), LOOKUP_MS).unref())
  return (await Promise.race([found, late])).map(({ address }) => address)
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? [])
}

function listOf(addresses: readonly string[]): BlockList {
  const list = new BlockList()
  for (const address of addresses) add(list, address)
  return list
}

function add(list: BlockList, address: string): void {
  list.addAddress(address.replace(/%.*$/, ''), familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

function nameOf(baseUrl: string): string {
  return new URL(baseUrl).hostname.replace(/^\[|\]$|\.$/g, '')
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}

function describe({ name, baseUrl, auth }: UpstreamSettings): string {
  const wrong = `is this server's own address (${new URL(baseUrl).host}): every call would come back to it.`
  if (auth === 'either') {
    const isInherited = (process.env['OPENAI_API_BASE'] ?? '').trim() === ''
    const cure = isInherited
      ? "It is what this server's clients set: unset it here, or set OPENAI_API_BASE, which goes before it, to the upstream's."
      : "Set it to the upstream's base URL."
    return `${isInherited ? 'OPENAI_BASE_URL' : 'OPENAI_API_BASE'} ${wrong}\n  ${cure}\n  e.g. OPENAI_API_BASE=https://api.openai.com/v1\n`
  }
  return (
    `upstreams.${name}.base_url ${wrong}\n` +
    '  Write the base URL of the upstream itself there (a preset has one of its own), or set PORT to another one.\n'
  )
}
