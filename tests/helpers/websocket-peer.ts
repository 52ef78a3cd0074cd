import type { Socket } from 'node:net'

/** A socket that is read at the test's own pace: nothing is taken off the wire before it is asked for. */
export interface SocketPeer {
  readonly socket: Socket
  readonly write: (bytes: string | Uint8Array) => void
  /** Resolves with the next bytes, exactly so many; rejects where the connection ends before. */
  readonly read: (byteCount: number) => Promise<Buffer>
  /** Resolves with the bytes up to and with the next empty line, as Latin-1. */
  readonly readHead: () => Promise<string>
  /** Resolves with all that comes until the other side ends. */
  readonly readToEnd: () => Promise<Buffer>
  /** Resolves when the other side has ended or the connection is gone. */
  readonly ended: Promise<void>
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
}

/** Makes a peer of a socket. */
export function peerOf(socket: Socket): SocketPeer {
  const ended = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let held: Buffer = Buffer.alloc(0)
  let isOver = false
  let wake = (): void => undefined
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    wake()
  })
  const over = (): void => {
    isOver = true
    ended.resolve()
    wake()
  }
  socket.on('end', over)
  socket.on('close', () => {
    over()
    closed.resolve()
  })

  const take = async (lengthOf: () => number | undefined): Promise<Buffer> => {
    for (;;) {
      const length = lengthOf()
      if (length !== undefined) {
        const taken = held.subarray(0, length)
        held = held.subarray(length)
        return taken
      }
      if (isOver) throw new Error(`The connection ended after ${JSON.stringify(held.toString('latin1').slice(0, 200))}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
    }
  }

  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    read: (byteCount) => take(() => (held.byteLength >= byteCount ? byteCount : undefined)),
    readHead: async () => {
      const head = await take(() => (held.includes('\r\n\r\n') ? held.indexOf('\r\n\r\n') + 4 : undefined))
      return head.toString('latin1')
    },
    readToEnd: () => take(() => (isOver ? held.byteLength : undefined)),
    ended: ended.promise,
    closed: closed.promise,
  }
}

/** What a WebSocket frame's first byte says of its kind (RFC 6455 §5.2). */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** How a frame differs from a whole, unmasked one. */
export interface FrameOptions {
  /** Whether it is the message's last; default true. */
  readonly isLast?: boolean
  /** Sets RSV1, as a compressed message does (RFC 7692). */
  readonly isCompressed?: boolean
  /** As a client's frames are. */
  readonly mask?: readonly [number, number, number, number]
}

/** Writes one WebSocket frame (RFC 6455 §5.2). */
export function frame(kind: keyof typeof OPCODES, payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { isLast = true, isCompressed = false, mask } = options
  const body = Buffer.from(payload)
  const first = (isLast ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | OPCODES[kind]
  const maskBit = mask === undefined ? 0 : 0x80
  const length = body.byteLength
  const extended = Buffer.alloc(length < 126 ? 0 : 2)
  if (length >= 126) extended.writeUInt16BE(length)
  const head = Buffer.from([first, maskBit | Math.min(length, 126)])
  if (mask === undefined) return Buffer.concat([head, extended, body])
  const masked = body.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([head, extended, Buffer.from(mask), masked])
}

/** Writes a close frame with its code and reason. */
export function closeFrame(code: number, reason: string, options: FrameOptions = {}): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return frame('close', payload, options)
}
