import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'

/** A request that is small for what it may cost. */
export interface Bomb {
  readonly id: string
  /** POST where absent. */
  readonly method?: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** In chunks of so many bytes; undefined: with its length. */
  readonly chunkBytes?: number
  /** What it may be answered with. */
  readonly statuses: readonly number[]
}

const MIB = 1024 * 1024
const CHAT = '/v1/chat/completions'
const JSON_TYPE = { 'content-type': 'application/json' }
const SERVED = [200]
const REFUSED = [400, 413]
const EITHER = [200, 400, 413]

/** A chat whose `x` is a JSON text. */
function chatWith(x: string, model = 'm'): Buffer {
  return Buffer.from(`{"model":"${model}","messages":[{"role":"user","content":"hi"}],"x":${x}}`)
}

/** An object with so many names, each with a number. */
function names(count: number): string {
  return Array.from({ length: count }, (_, at) => `"name${at}":0`).join()
}

function times(text: string, bytes: number): string {
  return text.repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(text))))
}

/** Bodies in a coding that come to very much more. */
function encodedBombs(mib: number): Bomb[] {
  const objects = chatWith(`[${times('{},', mib * MIB)}{}]`)
  const text = chatWith(`"${times('a', mib * MIB)}"`)
  const coded: readonly (readonly [id: string, coding: string, body: Uint8Array])[] = [
    ['gzip-objects', 'gzip', gzipSync(objects)],
    ['gzip-text', 'gzip', gzipSync(text)],
    ['deflate-objects', 'deflate', deflateSync(objects)],
    ['br-objects', 'br', brotliCompressSync(objects)],
    ['br-text', 'br', brotliCompressSync(text)],
    ['zstd-objects', 'zstd', zstdCompressSync(objects)],
    ['gzip-twice', 'gzip, gzip', gzipSync(gzipSync(objects))],
    ['br-in-gzip', 'br, gzip', gzipSync(brotliCompressSync(text))],
  ]
  return coded.map(([id, coding, body]) => {
    return { id, target: CHAT, headers: { ...JSON_TYPE, 'content-encoding': coding }, body, statuses: REFUSED }
  })
}

/** JSON whose values, or whose reading, cost much. */
function jsonBombs(mib: number): Bomb[] {
  const bytes = mib * MIB
  const bodies: readonly (readonly [id: string, body: Uint8Array, statuses: readonly number[]])[] = [
    ['objects', chatWith(`[${times('{},', bytes)}{}]`), REFUSED],
    ['lists', chatWith(`[${times('[],', bytes)}[]]`), REFUSED],
    ['deep-lists', chatWith(times('[', bytes / 2) + times(']', bytes / 2)), REFUSED],
    ['deep-100000', chatWith('['.repeat(100_000) + ']'.repeat(100_000)), EITHER],
    ['deep-short', chatWith('['.repeat(30_000) + ']'.repeat(30_000)), EITHER],
    ['deep-objects', chatWith(`${times('{"a":', bytes)}1${'}'.repeat(Math.floor(bytes / 5))}`), REFUSED],
    ['many-names', Buffer.from(`{"model":"m","messages":[],${names(Math.floor(bytes / 14))}}`), EITHER],
    ['unknown-names', Buffer.from(`{"model":"ruled","messages":[],${names(40_000)}}`), EITHER],
    ['unknown-names-few', Buffer.from(`{"model":"ruled","messages":[],${names(9000)}}`), SERVED],
    ['strings', chatWith(`[${times('"",', bytes)}""]`), EITHER],
    ['long-text', chatWith(`"${times('a', bytes)}"`), SERVED],
    ['long-text-ruled', chatWith(`"${times('a', bytes)}"`, 'capped'), SERVED],
    ['long-text-renamed', chatWith(`"${times('a', bytes)}"`, 'smart'), SERVED],
    ['long-text-not-ascii', chatWith(`"${times('é漢', bytes)}"`), SERVED],
    ['long-text-escaped', chatWith(`"${times('\\n\\"', bytes)}"`), SERVED],
    ['long-number', chatWith(times('7', bytes)), REFUSED],
    ['white-space', chatWith(`[1${times(' ', bytes)}]`), EITHER],
    ['numbers', chatWith(`[${times('123456,', bytes)}1]`), EITHER],
    ['messages', chatWith(`[${times('{"role":"user","content":"hello there"},', bytes)}{}]`), EITHER],
    ['messages-ruled', chatWith(`[${times('{"role":"user","content":"hello there"},', bytes)}{}]`, 'capped'), EITHER],
    ['cut', chatWith(`[${times('{"role":"user"},', bytes)}`), REFUSED],
  ]
  return bodies.map(([id, body, statuses]) => ({ id, target: CHAT, headers: JSON_TYPE, body, statuses }))
}

/** Bodies that come in very many parts. */
function partsBombs(mib: number): Bomb[] {
  const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
  const form = Buffer.from(`${times(part, (mib * MIB) / 4)}--b--\r\n`)
  const lines = Buffer.from(
    `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${times('\n-', mib * MIB)}\r\n--b--\r\n`,
  )
  const formType = { 'content-type': 'multipart/form-data; boundary=b' }
  const target = '/v1/audio/transcriptions'
  return [
    { id: 'form-parts', target, headers: formType, body: form, statuses: EITHER },
    { id: 'form-lines', target, headers: formType, body: lines, statuses: EITHER },
    {
      id: 'chunks-of-a-byte',
      target: CHAT,
      headers: JSON_TYPE,
      body: chatWith(`"${times('a', (mib * MIB) / 16)}"`),
      chunkBytes: 1,
      statuses: SERVED,
    },
  ]
}

/**
 * All requests that are small for what they may cost; `mib`: about how large their texts are.
 *
 * @example
 * const bombs = makeBombs(16)
 */
export function makeBombs(mib: number): readonly Bomb[] {
  return [...encodedBombs(mib), ...jsonBombs(mib), ...partsBombs(mib)]
}

/**
 * What goes over the wire for a request, to a server that is to close the connection.
 *
 * @example
 * socket.write(wireOf(bomb))
 */
export function wireOf({ method = 'POST', target, headers, body, chunkBytes }: Bomb): Buffer {
  const lines = Object.entries({
    host: '127.0.0.1',
    authorization: 'Bearer sk-anything',
    connection: 'close',
    ...headers,
    ...(chunkBytes === undefined ? { 'content-length': body.byteLength } : { 'transfer-encoding': 'chunked' }),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
  if (chunkBytes === undefined) return Buffer.concat([head, body])
  const size = Buffer.from(`${chunkBytes.toString(16)}\r\n`)
  const end = Buffer.from('\r\n')
  const chunks: Buffer[] = [head]
  for (let at = 0; at < body.byteLength; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes)
    chunks.push(chunk.byteLength === chunkBytes ? size : Buffer.from(`${chunk.byteLength.toString(16)}\r\n`))
    chunks.push(Buffer.from(chunk), end)
  }
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
}
