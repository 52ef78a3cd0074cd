import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { lackBehind } from './lack-behind.ts'
import { openTunnel } from './proxy-tunnel.ts'

/** A dead peer shows by TCP's own probes; the silence of a living one is no matter. */
const KEEP_ALIVE_MS = 60_000

/**
 * Connects to the server of an http(s) URL, through an HTTP proxy where one is given; TLS with the default roots, or those of `ca` (PEM).
 *
 * The socket never throws an unheard `error`. Aborting `signal` destroys it at any time, and rejects with the
 * reason while it is being connected; else rejects with the system's error (ECONNREFUSED, ENOTFOUND, …),
 * EMFILE where this process may open nothing more.
 *
 * @example
 * const socket = await dial(new URL('https://api.openai.com'), signal)
 */
export async function dial(url: URL, signal: AbortSignal, proxy?: URL, ca?: string): Promise<Socket> {
  if (proxy?.protocol === 'https:') throw new Error('a proxy that is itself reached by TLS cannot be used')
  if (proxy !== undefined && proxy.protocol !== 'http:') {
    throw new Error(`a proxy by ${proxy.protocol} cannot be used`)
  }
  const socket = connect({
    ...addressOf(proxy ?? url),
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  })
  await opened(socket, 'connect', signal)
  if (proxy !== undefined) await openTunnel(socket, { ...addressOf(url), proxy })
  if (url.protocol !== 'https:') return socket
  const { host } = addressOf(url)
  const secured = connectTls({
    socket,
    host,
    ALPNProtocols: ['http/1.1'],
    ...(ca !== undefined && { ca }),
    // A name only: an address is no server name (RFC 6066 §3).
    ...(isIP(host) === 0 && { servername: host }),
  })
  await opened(secured, 'secureConnect', signal)
  return secured
}

function addressOf(url: URL): { readonly host: string; readonly port: number } {
  const defaultPort = url.protocol === 'https:' ? 443 : 80
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? defaultPort : Number(url.port) }
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      socket.destroy()
      reject(signal.reason)
    }
    socket.on('error', (cause) => reject(lackBehind(cause)))
    socket.once('close', () => reject(new Error('the connection was closed')))
    socket.once(event, () => resolve())
    if (signal.aborted) abort()
    else {
      signal.addEventListener('abort', abort, { once: true })
      // The signal may outlive the call by many others.
      socket.once('close', () => signal.removeEventListener('abort', abort))
    }
  })
}
