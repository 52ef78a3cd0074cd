/**
 * Many slow clients, in a process of their own, so that they cost the healthy ones no time of theirs:
 *
 *   bun peers-program.ts slow-headers PORT 1000
 *
 * It says `ready` when all are connected, and how many are so still when its input ends.
 */
import { connect, type Socket } from 'node:net'
import { pourOut } from './pour-out.ts'

const TICK_MS = 500
const READ_BYTES = 1024
const BODY_BYTES = 10_000
const HEAD = (line: string): string => `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-mine\r\n`
const LARGE = `${HEAD('GET /v1/models?large')}\r\n`
const LONG = `${HEAD('GET /v1/models?long')}\r\n`
const LONG_BYTES = 64 * 1024 * 1024
const upgrade = (target: string): string =>
  `${HEAD(`GET ${target}`)}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`
const BODY_HEAD = `${HEAD('POST /v1/chat/completions')}Content-Type: application/json\r\nContent-Length: ${BODY_BYTES}\r\n\r\n{`

/** What a client does at first, and again and again. */
interface Behaviour {
  readonly begin: (socket: Socket) => void
  readonly goOn?: (socket: Socket) => void
}

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  'slow-headers': {
    begin: (socket) => void socket.write(HEAD('GET /v1/models')),
    goOn: (socket) => void socket.write('X-A: b\r\n'),
  },
  'slow-body': { begin: (socket) => void socket.write(BODY_HEAD), goOn: (socket) => void socket.write(' ') },
  'slow-read': {
    begin(socket) {
      socket.write(LARGE)
      socket.pause()
    },
    goOn: (socket) => void socket.read(READ_BYTES),
  },
  'never-read': {
    begin(socket) {
      socket.write(LARGE)
      socket.pause()
    },
  },
  'never-read-long': {
    begin(socket) {
      socket.write(LONG)
      socket.pause()
    },
  },
  'never-read-websocket': {
    begin(socket) {
      socket.write(upgrade('/v1/realtime?model=long'))
      socket.pause()
    },
  },
  'deaf-websocket': {
    begin(socket) {
      socket.write(upgrade('/v1/realtime?model=deaf'))
      socket.once('data', () => pourOut(socket, LONG_BYTES))
    },
  },
  'endless-headers': {
    begin: (socket) => void socket.write(HEAD('GET /v1/models')),
    goOn: (socket) => void socket.write('X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n'.repeat(100)),
  },
  idle: { begin: () => undefined },
}

async function open(port: number, { begin }: Behaviour): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.on('data', () => undefined)
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
  if (!socket.destroyed) begin(socket)
  return socket
}

const [kind = '', port = '', count = ''] = process.argv.slice(2)
const behaviour = BEHAVIOURS[kind]
if (behaviour === undefined) throw new Error(`There are no clients of the kind ${kind}.`)
const sockets: Socket[] = []
for (let n = 0; n < Number(count); n += 1) sockets.push(await open(Number(port), behaviour))
setInterval(() => {
  for (const socket of sockets) if (!socket.destroyed) behaviour.goOn?.(socket)
}, TICK_MS)
process.stdout.write('ready\n')
process.stdin
  .on('end', () => {
    const open = sockets.filter(({ destroyed }) => !destroyed).length
    process.stdout.write(`open ${open}\n`, () => process.exit(0))
  })
  .resume()
