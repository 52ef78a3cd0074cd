import { joinInSteps } from '../formats/bytes/join-bytes.ts'
import { parseInSteps } from '../formats/json/parse-in-steps.ts'
import { inSlices } from '../timing/slices.ts'

/** So much is decoded at once. */
const PIECE_BYTES = 512 * 1024

/**
 * Reads all of a body, put together in slices: the runtime's own readers would keep everybody waiting for one of megabytes.
 *
 * Rejects with whatever the body fails with, and with a `TypeError` where it has been read already.
 */
export async function readStreamBytes(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array()
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return inSlices(joinInSteps(chunks))
    chunks.push(value)
  }
}

/** The same as a text in UTF-8. */
export async function readStreamText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  return inSlices(decodeInSteps(await readStreamBytes(body)))
}

/** The same as a value of JSON. Rejects with a `SyntaxError` for what is none, and a `RangeError` for very many values. */
export async function readStreamJson(body: ReadableStream<Uint8Array> | null): Promise<unknown> {
  const parsed = await inSlices(parseInSteps(await readStreamBytes(body), Number.POSITIVE_INFINITY))
  if (parsed.kind === 'value') return parsed.value
  if (parsed.kind === 'no_json') throw new SyntaxError('the body is no JSON')
  throw new RangeError('the body has more values than can be read: take its text, or its events')
}

function* decodeInSteps(bytes: Uint8Array): Generator<void, string, void> {
  const decoder = new TextDecoder()
  if (bytes.byteLength <= PIECE_BYTES) return decoder.decode(bytes)
  let text = ''
  for (let from = 0; from < bytes.byteLength; from += PIECE_BYTES) {
    text += decoder.decode(bytes.subarray(from, from + PIECE_BYTES), { stream: true })
    yield
  }
  return text + decoder.decode()
}

type Readable = Pick<Request, 'body'>

/** Reads the bodies of requests in slices, in place of the runtime's own readers. */
const READERS: PropertyDescriptorMap & ThisType<Readable> = {
  arrayBuffer: {
    async value(this: Readable) {
      return (await readStreamBytes(this.body)).buffer
    },
  },
  bytes: {
    value(this: Readable) {
      return readStreamBytes(this.body)
    },
  },
  text: {
    value(this: Readable) {
      return readStreamText(this.body)
    },
  },
  json: {
    value(this: Readable) {
      return readStreamJson(this.body)
    },
  },
}

/** Has the body of a request read in slices, whichever way it is asked for. */
export function readInSlices(request: Request): Request {
  return Object.defineProperties(request, READERS)
}
