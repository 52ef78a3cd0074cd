import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { applyByteEdits, type ByteEdit } from '../formats/json/byte-edits.ts'
import { type JsonPath, StringEditor } from '../formats/json/string-editor.ts'
import { DataRanges } from '../formats/sse/data-ranges.ts'
import { EventSplitter } from '../formats/sse/event-splitter.ts'
import { Slice } from '../timing/slices.ts'

/** Where an answer names its model: itself, the response that an event is about, and what a list of answers holds. */
const ITEM: JsonPath = ['data', '*', 'model']
const PLACES: readonly JsonPath[] = [['model'], ['response', 'model'], ITEM]

/** Gives the name that is to stand in place of a model's; `isItem`: in an element of a list. undefined: it stays. */
export type RenameModel = (model: string, isItem: boolean) => string | undefined

/** So much is gone through at once, which may hold thousands of events. */
const PART_BYTES = 64 * 1024
const NOTHING: Uint8Array = new Uint8Array()

/** Changes a body. */
export interface BodyRewriter {
  /** One that is there as a whole. */
  readonly whole: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
  /** One that comes in pieces: each goes on at once. */
  readonly stream: (source: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>
}

/** Puts names of models into answers of any size. */
export interface ModelReporter {
  readonly json: BodyRewriter
  /** For server-sent events. */
  readonly events: BodyRewriter
}

/** What changes the pieces of a body. */
interface Rewriting {
  readonly add: (chunk: Uint8Array) => Uint8Array
  /** What was held back at the end. */
  readonly end: () => Uint8Array
}

/**
 * Puts the name that the caller used into an answer as its `model` (also `response.model`, and in a list `data[].model`), in place
 * of the upstream's.
 *
 * Only the text of these members changes, where it is a string; every other byte stays as it came, and nothing but such a text
 * waits for its end.
 *
 * @example
 * const body = reportModel(() => 'smart').events.stream(answer.body)
 */
export function reportModel(rename: RenameModel): ModelReporter {
  const createEditor = (): StringEditor => new StringEditor(PLACES, (model, path) => rename(model, path === ITEM))
  return { json: rewriter(() => inJson(createEditor())), events: rewriter(() => inEvents(createEditor())) }
}

function rewriter(begin: () => Rewriting): BodyRewriter {
  return {
    whole(bytes) {
      const { add, end } = begin()
      const changed = add(bytes)
      return changed === bytes ? bytes : joinBytes([changed, end()])
    },
    stream: (source) => rewrite(source, begin()),
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
  // Nothing is held: an event comes in pieces.
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

function rewrite(source: ReadableStream<Uint8Array>, { add, end }: Rewriting): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  /** What is left of a chunk that is gone through in parts. */
  let left = NOTHING
  const slice = new Slice()
  const next = async (): Promise<Uint8Array | undefined> => {
    if (left.byteLength === 0) {
      const askedAt = performance.now()
      const { done, value } = await reader.read()
      if (done) return undefined
      slice.beginBehind(askedAt)
      left = value
    }
    const part = left.subarray(0, PART_BYTES)
    left = left.subarray(part.byteLength)
    return part
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const part = await next()
            if (slice.isOver()) await slice.rest()
            const ready = part === undefined ? end() : add(part)
            if (ready.byteLength > 0) controller.enqueue(ready)
            if (part === undefined) return controller.close()
            if (ready.byteLength > 0) return
          }
        } catch {
          // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
          controller.error(undefined)
        }
      },
      cancel: (reason) => ignoreRejection(reader.cancel(reason)),
    },
    { highWaterMark: 0 },
  )
}
