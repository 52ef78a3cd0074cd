import { canDecode, decodeStream, isEncoded } from '../formats/bytes/decode-body.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { isEventStream, isJsonType } from '../formats/http/media-types.ts'
import { applyByteEdits, type ByteEdit } from '../formats/json/byte-edits.ts'
import { type JsonPath, StringEditor } from '../formats/json/string-editor.ts'
import { DataRanges } from '../formats/sse/data-ranges.ts'
import { EventSplitter } from '../formats/sse/event-splitter.ts'
import { type Rewriting, rewriteStream } from './rewrite-stream.ts'

/** The place of an answer's model: at the top, in the response that an event is about, and in the elements of a list. */
const ITEM: JsonPath = ['data', '*', 'model']
const PLACES: readonly JsonPath[] = [['model'], ['response', 'model'], ITEM]

/** Gives the name that replaces a model's; undefined: the model's name stays. `isItem`: it is in an element of a list. */
export type RenameModel = (model: string, isItem: boolean) => string | undefined

/** Changes a body. */
export interface BodyRewriter {
  /** Changes a whole body. */
  readonly whole: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
  /** Changes a body that comes in pieces: each goes on at once. */
  readonly stream: (source: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>
}

/** Rewrites the names of models in answers of any size. */
export interface ModelReporter {
  readonly json: BodyRewriter
  /** For server-sent events. */
  readonly events: BodyRewriter
}

/**
 * Puts the name that the caller used into an answer as its `model` (also `response.model`, and in a list `data[].model`), in place
 * of the upstream's.
 *
 * Only the text of these members changes, where it is a string. Every other byte stays as it came, and no other byte waits.
 *
 * @example
 * const body = reportModel(() => 'smart').events.stream(answer.body)
 */
export function reportModel(rename: RenameModel): ModelReporter {
  const createEditor = (): StringEditor => new StringEditor(PLACES, (model, path) => rename(model, path === ITEM))
  return { json: rewriter(() => inJson(createEditor())), events: rewriter(() => inEvents(createEditor())) }
}

/** Rewrites the names of models in one answer. */
export interface ModelRewriter {
  /** Whether the body is encoded: then only its stream can be changed. */
  readonly isEncoded: boolean
  /** Rewrites a whole body that is not encoded. */
  readonly whole: BodyRewriter['whole']
  /** Rewrites a body that comes in pieces. It goes on decoded, in a length that is not known beforehand, and the headers say so. */
  readonly stream: BodyRewriter['stream']
}

/**
 * Makes the rewriter for an answer with these headers; undefined: it names no model, since it is neither JSON nor
 * a stream of events, or has an unknown coding.
 *
 * @example
 * const rewriter = modelRewriterFor(answer.headers, () => 'smart')
 */
export function modelRewriterFor(headers: Headers, rename: RenameModel): ModelRewriter | undefined {
  const type = headers.get('content-type')
  const isJson = isJsonType(type)
  if (!(isJson || isEventStream(type))) return undefined
  const codings = headers.get('content-encoding')
  if (!canDecode(codings)) return undefined
  const { json, events } = reportModel(rename)
  const { whole, stream } = isJson ? json : events
  return {
    isEncoded: isEncoded(codings),
    whole,
    stream(body) {
      const plain = decodeStream(body, codings)
      headers.delete('content-length')
      headers.delete('content-encoding')
      return stream(plain)
    },
  }
}

function rewriter(begin: () => Rewriting): BodyRewriter {
  return {
    whole(bytes) {
      const { add, end } = begin()
      const changed = add(bytes)
      return changed === bytes ? bytes : joinBytes([changed, end()])
    },
    stream: (source) => rewriteStream(source, begin()),
  }
}

function inJson(editor: StringEditor): Rewriting {
  return {
    add(chunk) {
      const edits: ByteEdit[] = []
      editor.add(chunk, 0, chunk.byteLength, edits)
      return applyByteEdits(chunk, edits)
    },
    end: () => editor.release(),
  }
}

function inEvents(editor: StringEditor): Rewriting {
  // The splitter holds nothing back: an event comes in pieces.
  const splitter = new EventSplitter(0)
  const ranges = new DataRanges()
  const rewritePiece = (bytes: Uint8Array): Uint8Array => {
    const edits: ByteEdit[] = []
    ranges.add(bytes, (start, end, isLineEnd) => {
      editor.add(bytes, start, end, edits)
      if (!isLineEnd) return
      const held = editor.release()
      if (held.byteLength > 0) edits.push({ start: end, end, bytes: held })
    })
    return applyByteEdits(bytes, edits)
  }
  return {
    add(chunk) {
      const pieces = splitter.add(chunk).map(({ bytes, isEnd }) => {
        const rewritten = rewritePiece(bytes)
        if (isEnd) editor.reset()
        return rewritten
      })
      const [only] = pieces
      return pieces.length === 1 && only !== undefined ? only : joinBytes(pieces)
    },
    end: () => editor.release(),
  }
}
