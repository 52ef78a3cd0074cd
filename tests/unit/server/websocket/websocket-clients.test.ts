import { afterEach, expect, test } from 'bun:test'
import { type RelayServer, startRelayServer } from '../../../helpers/websocket-relay.ts'

const open: { close: () => void }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** An echo by the runtime's own WebSocket server; `close <code>` asks for a close of its own. */
async function startEcho(): Promise<RelayServer> {
  const echo = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request, server) {
      const protocol = request.headers.get('sec-websocket-protocol')?.split(', ')[1]
      const headers: Record<string, string> = protocol === undefined ? {} : { 'Sec-WebSocket-Protocol': protocol }
      return server.upgrade(request, { headers }) ? undefined : new Response('no', { status: 400 })
    },
    websocket: {
      perMessageDeflate: true,
      message(socket, message) {
        const code = typeof message === 'string' ? /^close (\d+)$/.exec(message)?.[1] : undefined
        if (code === undefined) socket.send(message, true)
        else socket.close(Number(code), 'as you asked')
      },
    },
  })
  const server = await startRelayServer(new URL(`http://127.0.0.1:${echo.port}`))
  open.push(server, { close: () => void echo.stop(true) })
  return server
}

async function connect({ port }: RelayServer, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/realtime`, protocols)
  socket.binaryType = 'arraybuffer'
  const opened = Promise.withResolvers<void>()
  socket.onopen = () => opened.resolve()
  socket.onerror = () => opened.reject(new Error('The WebSocket did not open.'))
  await opened.promise
  return socket
}

function nextMessage(socket: WebSocket): Promise<unknown> {
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve(data)
  })
}

function closed(socket: WebSocket): Promise<CloseEvent> {
  return new Promise((resolve) => {
    socket.onclose = resolve
  })
}

test('a standard WebSocket client and server talk through the relay, compressed, in text and binary', async () => {
  const server = await startEcho()
  const socket = await connect(server, ['realtime', 'openai-beta.realtime-v1'])
  expect(socket.protocol).toBe('openai-beta.realtime-v1')
  expect(socket.extensions).toContain('permessage-deflate')

  const text = '{"a": 1.0}'.repeat(1_000)
  const echoed = nextMessage(socket)
  socket.send(text)
  expect(await echoed).toBe(text)

  const bytes = crypto.getRandomValues(new Uint8Array(60_000))
  const echoedBytes = nextMessage(socket)
  socket.send(bytes)
  expect(new Uint8Array((await echoedBytes) as ArrayBuffer)).toEqual(bytes)
  socket.close()
})

test('the close code of the server reaches the client', async () => {
  const server = await startEcho()
  const socket = await connect(server)
  const closing = closed(socket)
  socket.send('close 4001')
  expect(await closing).toMatchObject({ code: 4001, reason: 'as you asked', wasClean: true })
  expect(await server.outcome()).toMatchObject({ kind: 'complete', status: 101 })
})

test('the close code of the client comes back to it by the server', async () => {
  const server = await startEcho()
  const socket = await connect(server)
  const closing = closed(socket)
  socket.close(4001, 'enough')
  expect(await closing).toMatchObject({ code: 4001, wasClean: true })
  expect(await server.outcome()).toMatchObject({ kind: 'complete', status: 101 })
})

test('200 WebSockets at once each get their own echoes', async () => {
  const server = await startEcho()
  const sockets = await Promise.all(Array.from({ length: 200 }, () => connect(server)))
  const echoes = await Promise.all(
    sockets.map(async (socket, index) => {
      const received: unknown[] = []
      for (let round = 0; round < 3; round += 1) {
        const echoed = nextMessage(socket)
        socket.send(`socket ${index} round ${round}`)
        received.push(await echoed)
      }
      return received
    }),
  )
  expect(echoes).toEqual(sockets.map((_, index) => [0, 1, 2].map((round) => `socket ${index} round ${round}`)))
  const closing = Promise.all(sockets.map(closed))
  for (const socket of sockets) socket.close(1000)
  expect((await closing).every(({ code }) => code === 1000)).toBe(true)
  const outcomes = await Promise.all(sockets.map(() => server.outcome()))
  expect(outcomes.every(({ kind }) => kind === 'complete')).toBe(true)
})
