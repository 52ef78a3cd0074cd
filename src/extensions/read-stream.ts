import { joinInSteps } from '../formats/bytes/join-bytes.ts'
import { parseInSteps } from '../formats/json/parse-in-steps.ts'
import { inSlices } from '../timing/slices.ts'

/** Reads a body chunk by chunk. It is the part of a reader that the types of Bun and of Node agree on. */
export interface ChunkReader {
  read(): Promise<
    | { readonly done: false; readonly value: Uint8Array }
    | { readonly done: true; readonly value?: Uint8Array | undefined }
  >
  cancel(): Promise<void>
}

/** How much text is decoded at once. */
const PIECE_BYTES = 512 * 1024

/**
 * Reads a whole body, and joins its chunks in slices: the runtime's own readers would hold up all other requests for a body of megabytes.
 *
 * Rejects with the body's error, and with a `TypeError` where it has been read already.
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

/** Reads a whole body likewise, as a text in UTF-8. */
export async function readStreamText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  return inSlices(decodeInSteps(await readStreamBytes(body)))
}

/** Reads a whole body likewise, as JSON. Rejects with a `SyntaxError` for another text, and a `RangeError` for very many values. */
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

/** The readers of a request that stand in for the runtime's own. */
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

/** Has the body of a request read in slices, by whichever method it is read. */
export function readInSlices(request: Request): Request {
  return Object.defineProperties(request, READERS)
}
