import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { diagnoseConnectFailure } from './diagnose-connect-failure.ts'
import { openTunnel } from './proxy-tunnel.ts'

/** TCP's own probes find a dead peer; a living one may be silent for as long as it likes. */
const KEEP_ALIVE_MS = 60_000

/**
 * Connects to the server of an http(s) URL, through an HTTP proxy where one is given. TLS trusts the default roots, or those of `ca` (PEM).
 *
 * An `error` of the socket never goes unhandled. Aborting `signal` destroys the socket at any time. Rejects with the abort's reason
 * while connecting, else with the system's error (ECONNREFUSED, ENOTFOUND, …), EMFILE when this process may open no more files.
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
    // Only a name may be a server name, not an address (RFC 6066 §3).
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
    socket.on('error', (cause) => reject(diagnoseConnectFailure(cause)))
    socket.once('close', () => reject(new Error('the connection was closed')))
    socket.once(event, () => resolve())
    if (signal.aborted) abort()
    else {
      signal.addEventListener('abort', abort, { once: true })
      // The signal may live on for many other calls.
      socket.once('close', () => signal.removeEventListener('abort', abort))
    }
  })
}
