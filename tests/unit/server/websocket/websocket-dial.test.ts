import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
  type Server as TlsServer,
} from 'node:tls'
import { peerOf, type SocketPeer } from '../../../helpers/websocket-peer.ts'
import { openLink, SWITCH, startBareUpstream, startRelayServer } from '../../../helpers/websocket-relay.ts'

const OPENSSL = Bun.which('openssl')
const open: { close: () => void }[] = []
const rootsBefore = getCACertificates('default')
let pair = { key: '', cert: '' }

beforeAll(() => {
  if (OPENSSL === null) return
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  Bun.spawnSync([OPENSSL, 'req', ...kind, ...subject, '-keyout', key, '-out', cert])
  pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true })
})

afterEach(() => {
  for (const one of open.splice(0)) one.close()
  setDefaultCACertificates(rootsBefore)
})

afterAll(() => setDefaultCACertificates(rootsBefore))

interface TlsUpstream {
  readonly port: number
  readonly accepted: Promise<{
    readonly peer: SocketPeer
    readonly alpn: string | false | null
    readonly name: unknown
  }>
}

async function startTlsUpstream(): Promise<TlsUpstream> {
  const accepted = Promise.withResolvers<Awaited<TlsUpstream['accepted']>>()
  const server: TlsServer = createTlsServer({ ...pair, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    accepted.resolve({ peer: peerOf(socket), alpn: socket.alpnProtocol, name: socket.servername })
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  open.push({ close: () => void server.close() })
  return { port: (server.address() as AddressInfo).port, accepted: accepted.promise }
}

/** A proxy that opens tunnels to 127.0.0.1, whatever the name, or answers with what it is given. */
async function startProxy(answer?: string): Promise<{ readonly url: URL; readonly heads: string[] }> {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const [chunk] = await new Promise<[Buffer]>(
      (resolve) => void socket.once('data', (data: Buffer) => resolve([data])),
    )
    socket.pause()
    const head = chunk.toString('latin1')
    heads.push(head)
    if (answer !== undefined) {
      socket.write(answer)
      return
    }
    const port = Number(/:(\d+) HTTP/.exec(head)?.[1])
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    sockets.add(upstream)
    upstream.on('error', () => socket.destroy())
    upstream.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(upstream).pipe(socket)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), heads }
}

test.skipIf(OPENSSL === null)(
  'a trusted upstream is reached by TLS, with its name and HTTP/1.1 (needs openssl)',
  async () => {
    setDefaultCACertificates([...rootsBefore, pair.cert])
    const upstream = await startTlsUpstream()
    const server = await startRelayServer(new URL(`https://localhost:${upstream.port}`))
    open.push(server)
    const client = await server.open()
    const { peer, alpn, name } = await upstream.accepted
    expect({ alpn, name }).toEqual({ alpn: 'http/1.1', name: 'localhost' })
    expect(await peer.readHead()).toContain(`\r\nHost: localhost:${upstream.port}\r\n`)
    peer.write(SWITCH)
    await client.readHead()
    client.write('there')
    expect((await peer.read(5)).toString()).toBe('there')
    peer.socket.end('and back')
    expect((await client.readToEnd()).toString()).toBe('and back')
    client.socket.end()
    expect(await server.outcome()).toMatchObject({ kind: 'complete', bytesIn: 5, bytesOut: 8 })
  },
)

test.skipIf(OPENSSL === null)('an upstream whose certificate nobody vouches for is a 502 (needs openssl)', async () => {
  const upstream = await startTlsUpstream()
  const server = await startRelayServer(new URL(`https://localhost:${upstream.port}`))
  open.push(server)
  await server.open()
  const outcome = await server.outcome()
  expect(outcome).toMatchObject({ kind: 'failed', answered: false, status: 502 })
  expect(outcome.cause).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
})

test.skipIf(OPENSSL === null)('an upstream with the certificate of another name is a 502 (needs openssl)', async () => {
  setDefaultCACertificates([...rootsBefore, pair.cert])
  const upstream = await startTlsUpstream()
  const server = await startRelayServer(new URL(`https://127.0.0.1:${upstream.port}`))
  open.push(server)
  await server.open()
  const outcome = await server.outcome()
  expect(outcome).toMatchObject({ kind: 'failed', answered: false, status: 502 })
  expect(outcome.cause).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('a proxy opens the way to upstream, with its own credentials and none of the call', async () => {
  const bare = await startBareUpstream()
  const proxy = await startProxy()
  const proxyUrl = new URL(`http://user:p%40ss@${proxy.url.host}`)
  const server = await startRelayServer(bare.url, { proxyFor: () => proxyUrl })
  open.push(server, bare)
  const { client, upstream } = await openLink(server, bare)
  upstream.write('through')
  expect((await client.read(7)).toString()).toBe('through')
  expect(proxy.heads).toEqual([
    `CONNECT ${bare.url.host} HTTP/1.1\r\nHost: ${bare.url.host}\r\nProxy-Authorization: Basic ${btoa('user:p@ss')}\r\n\r\n`,
  ])
})

test.skipIf(OPENSSL === null)('TLS through a proxy is between the relay and upstream (needs openssl)', async () => {
  setDefaultCACertificates([...rootsBefore, pair.cert])
  const upstream = await startTlsUpstream()
  const proxy = await startProxy()
  const server = await startRelayServer(new URL(`https://localhost:${upstream.port}`), { proxyFor: () => proxy.url })
  open.push(server)
  const client = await server.open()
  const { peer } = await upstream.accepted
  await peer.readHead()
  peer.write(`${SWITCH}first`)
  await client.readHead()
  expect((await client.read(5)).toString()).toBe('first')
  expect(proxy.heads[0]).toStartWith(`CONNECT localhost:${upstream.port} HTTP/1.1\r\n`)
})

const PROXY_ANSWERS: readonly (readonly [string, string])[] = [
  ['refuses', 'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'],
  ['speaks no HTTP', 'hello\r\n'],
  ['sends bytes of its own', 'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n'],
]

test.each(PROXY_ANSWERS)('a proxy that %s is a 502', async (_, answer) => {
  const bare = await startBareUpstream()
  const proxy = await startProxy(answer)
  const server = await startRelayServer(bare.url, { proxyFor: () => proxy.url })
  open.push(server, bare)
  await server.open()
  expect(await server.outcome()).toMatchObject({ kind: 'failed', answered: false, status: 502 })
})

test('a proxy that does not answer is a 504 within the timer', async () => {
  const bare = await startBareUpstream()
  const proxy = await startProxy('')
  const timeouts = { firstByteMs: 100, idleMs: 5_000 }
  const server = await startRelayServer(bare.url, { proxyFor: () => proxy.url, timeouts })
  open.push(server, bare)
  await server.open()
  expect(await server.outcome()).toMatchObject({ kind: 'failed', answered: false, status: 504 })
})
