import { afterEach, beforeAll, expect, test } from 'bun:test'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createExactFetch } from '../../../../src/upstream/exact/exact-fetch.ts'
import type { UpstreamBody, UpstreamFetch, UpstreamInit } from '../../../../src/upstream/send.ts'
import { createLocate } from '../../../../src/upstream/target.ts'
import { makeSelfSigned } from '../../../helpers/self-signed.ts'

const OPENSSL = Bun.which('openssl')
const TARGET = "/v1/things/{id}?q='a'"
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine'

const open: (() => void)[] = []
const rootsBefore = getCACertificates('default')
let pair = { key: '', cert: '' }

beforeAll(() => {
  if (OPENSSL === null) return
  const made = makeSelfSigned()
  pair = { key: made.key, cert: made.cert }
  made.remove()
})

afterEach(() => {
  for (const close of open.splice(0)) close()
  setDefaultCACertificates(rootsBefore)
})

/** A server that hands over each connection with its first bytes, and what it has seen. */
interface Seen {
  readonly port: number
  readonly heads: readonly string[]
}

async function listen(
  make: (onSocket: (socket: Socket) => void) => Server,
  answer: (socket: Socket, head: string) => void,
): Promise<Seen> {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const server = make((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (data: Buffer) => {
      heads.push(data.toString('latin1'))
      answer(socket, data.toString('latin1'))
    })
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  open.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, heads }
}

const startUpstream = (): Promise<Seen> => listen(createServer, (socket) => void socket.write(ANSWER))
const startTlsUpstream = (): Promise<Seen> =>
  listen(
    (onSocket) => createTlsServer(pair, onSocket),
    (socket) => void socket.write(ANSWER),
  )

/** A proxy that opens tunnels to 127.0.0.1, whatever the name. */
const startTunnels = (): Promise<Seen> =>
  listen(createServer, (socket, head) => {
    const upstream = connect(Number(/:(\d+) HTTP/.exec(head)?.[1]), '127.0.0.1')
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    socket.pipe(upstream).pipe(socket)
  })

/** A fetch that notes what it is left with. */
function standIn(): { readonly calls: string[]; readonly fetch: UpstreamFetch } {
  const calls: string[] = []
  return {
    calls,
    fetch: async (url) => {
      calls.push(url.href)
      return new Response('by fetch')
    },
  }
}

function initOf(target: string, method = 'GET', body: UpstreamBody = null): UpstreamInit {
  return {
    ...{ method, target, body, headers: new Headers({ accept: '*/*' }), signal: new AbortController().signal },
    ...{ redirect: 'manual', decompress: false, timeout: false },
  }
}

test('a call that fetch can make exactly is left to it', async () => {
  const { calls, fetch } = standIn()
  const exactFetch = createExactFetch(fetch, () => undefined)
  for (const [target, method, body] of [
    ['/v1/models', 'GET', null],
    ['/v1/models?a=%27b%27&c=(d)', 'HEAD', null],
    ['/v1/chat/completions', 'POST', new Uint8Array(1)],
    ['/v1/files', 'DELETE', new ReadableStream<Uint8Array>()],
  ] as const) {
    const { url, target: exact } = createLocate('http://127.0.0.1:1/base/v1')(target)
    expect(exact).toBe(url.pathname + url.search)
    expect(await (await exactFetch(url, initOf(exact, method, body))).text()).toBe('by fetch')
    expect(calls.pop()).toBe(url.href)
  }
})

test('an http upstream behind a proxy is asked for by its whole URL, with the proxy’s credentials', async () => {
  const proxy = await startUpstream()
  const { calls, fetch } = standIn()
  const exactFetch = createExactFetch(fetch, () => new URL(`http://user:p%40ss@127.0.0.1:${proxy.port}`))
  const answer = await exactFetch(new URL(TARGET, 'http://upstream.invalid:81'), initOf(TARGET))
  expect([answer.status, await answer.text()]).toEqual([200, 'fine'])
  expect(proxy.heads).toEqual([
    `GET http://upstream.invalid:81${TARGET} HTTP/1.1\r\nHost: upstream.invalid:81\r\nConnection: close\r\naccept: */*\r\n` +
      `Proxy-Authorization: Basic ${btoa('user:p@ss')}\r\n\r\n`,
  ])
  expect(calls).toEqual([])
})

test.skipIf(OPENSSL === null)('an https upstream is reached by TLS, exactly (needs openssl)', async () => {
  setDefaultCACertificates([...rootsBefore, pair.cert])
  const upstream = await startTlsUpstream()
  const exactFetch = createExactFetch(standIn().fetch, () => undefined)
  const body = new Uint8Array([0, 255])
  const answer = await exactFetch(
    new URL(`https://localhost:${upstream.port}/v1/models`),
    initOf('/v1/models', 'GET', body),
  )
  expect(await answer.text()).toBe('fine')
  expect(upstream.heads.join('')).toBe(
    `GET /v1/models HTTP/1.1\r\nHost: localhost:${upstream.port}\r\nConnection: close\r\naccept: */*\r\nContent-Length: 2\r\n\r\n\u0000\u00ff`,
  )
})

test.skipIf(OPENSSL === null)('an https upstream that nobody vouches for gets nothing (needs openssl)', async () => {
  const upstream = await startTlsUpstream()
  const exactFetch = createExactFetch(standIn().fetch, () => undefined)
  const url = new URL(`https://localhost:${upstream.port}`)
  const error = await exactFetch(url, initOf(TARGET)).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  expect(upstream.heads).toEqual([])
})

test.skipIf(OPENSSL === null)(
  'an https upstream behind a proxy is reached through a tunnel (needs openssl)',
  async () => {
    setDefaultCACertificates([...rootsBefore, pair.cert])
    const [upstream, proxy] = await Promise.all([startTlsUpstream(), startTunnels()])
    const exactFetch = createExactFetch(standIn().fetch, () => new URL(`http://user:p@127.0.0.1:${proxy.port}`))
    const answer = await exactFetch(new URL(`https://localhost:${upstream.port}`), initOf(TARGET))
    expect(await answer.text()).toBe('fine')
    expect(proxy.heads[0]).toBe(
      `CONNECT localhost:${upstream.port} HTTP/1.1\r\nHost: localhost:${upstream.port}\r\nProxy-Authorization: Basic ${btoa('user:p')}\r\n\r\n`,
    )
    expect(upstream.heads[0]).toStartWith(`GET ${TARGET} HTTP/1.1\r\n`)
    expect(upstream.heads[0]?.toLowerCase()).not.toContain('proxy-')
  },
)

test('TLS to an https upstream within TLS to its proxy, and proxies of other kinds, are left to fetch', async () => {
  const { calls, fetch } = standIn()
  for (const proxy of ['https://127.0.0.1:1', 'socks5://127.0.0.1:1']) {
    const url = new URL(TARGET, 'https://upstream.invalid')
    await createExactFetch(fetch, () => new URL(proxy))(url, initOf(TARGET))
    expect(calls.pop()).toBe(url.href)
  }
})

test.skipIf(OPENSSL === null)(
  'an http upstream behind a proxy that is reached by TLS is asked for through it (needs openssl)',
  async () => {
    setDefaultCACertificates([...rootsBefore, pair.cert])
    const proxy = await startTlsUpstream()
    const exactFetch = createExactFetch(standIn().fetch, () => new URL(`https://localhost:${proxy.port}`))
    const answer = await exactFetch(new URL(TARGET, 'http://upstream.invalid'), initOf(TARGET))
    expect(await answer.text()).toBe('fine')
    expect(proxy.heads[0]).toStartWith(`GET http://upstream.invalid${TARGET} HTTP/1.1\r\nHost: upstream.invalid\r\n`)
  },
)

test('aborting closes the connection at once: before it stands, before the answer, and within its body', async () => {
  const ends: Promise<void>[] = []
  const upstream = await listen(createServer, (socket, head) => {
    ends.push(new Promise((resolve) => void socket.once('close', () => resolve())))
    if (head.startsWith('GET /v1/{body}')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
  })
  const exactFetch = createExactFetch(standIn().fetch, () => undefined)
  const url = new URL(`http://127.0.0.1:${upstream.port}`)
  const reason = new Error('left')

  const gone = await exactFetch(url, { ...initOf(TARGET), signal: AbortSignal.abort(reason) }).catch(
    (thrown: unknown) => thrown,
  )
  expect(gone).toBe(reason)

  const early = new AbortController()
  const waiting = exactFetch(url, { ...initOf(TARGET), signal: early.signal }).catch((thrown: unknown) => thrown)
  while (upstream.heads.length === 0) await Bun.sleep(1)
  early.abort(reason)
  expect(await waiting).toBeInstanceOf(Error)
  await ends[0]

  const late = new AbortController()
  const answer = await exactFetch(url, { ...initOf('/v1/{body}'), signal: late.signal })
  const reader = answer.body?.getReader()
  expect((await reader?.read())?.value?.byteLength).toBe(4)
  const rest = reader?.read().catch((thrown: unknown) => thrown)
  late.abort(reason)
  expect(await rest).toBeInstanceOf(Error)
  await ends[1]
})

test('a target that would break out of its line sends nothing, and closes the connection', async () => {
  const upstream = await startUpstream()
  const exactFetch = createExactFetch(standIn().fetch, () => undefined)
  const url = new URL(`http://127.0.0.1:${upstream.port}`)
  for (const target of ['/v1/{id}\r\nx: y', '/v1/{id} HTTP/1.1', '/v1/\u4f60']) {
    const error = await exactFetch(url, initOf(target)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_UNESCAPED_CHARACTERS' })
  }
  expect(upstream.heads).toEqual([])
})
