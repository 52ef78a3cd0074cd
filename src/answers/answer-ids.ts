import { formatOf } from '../formats/bytes/decode-body.ts'
import { isEventStream, isJsonType, isVagueType } from '../formats/http/media-types.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { StringScanner } from '../formats/json/string-scanner.ts'
import { EventSplitter } from '../formats/sse/event-splitter.ts'
import { isRepeated, namesObject, OBJECT_ID_CHARS_MAX } from '../openai/object-ids.ts'
import { breathe } from '../timing/slices.ts'

/** Is told of the id of an object that an answer names; `isItself`: the answer, or its event's subject, is that object. */
export type OnObjectId = (id: string, isItself: boolean) => void

/** Looks for ids in the bytes of an answer while they pass. */
export interface AnswerIds {
  readonly add: (chunk: Uint8Array) => void
  /** Whether an id may be told only some time after its bytes. */
  readonly isLate: boolean
  /** To be called when all bytes have passed: resolves when all ids are told. */
  readonly end: () => Promise<void>
}

const ID_CHARS_MIN = 4
const DEPTH_MAX = 32
/** The most ids of one JSON text; the first ones are its own. */
const IDS_MAX = 1000
/** The roles of messages that a caller has written. */
const CALLERS_ROLES: ReadonlySet<string> = new Set(['user', 'system', 'developer', 'tool'])
/** The type of an item in which a caller reports a tool's output. */
const CALLERS_TYPE = /_call_output$/

/**
 * Makes the search for the ids in an answer, by its headers: in JSON and in streams of events, of any size, in any
 * chunks; of an encoded answer, in a decoded copy. undefined: it holds none.
 *
 * It tells the ids in members such as `id`, `output_file_id`, `container_id` or `file_ids`, when the JSON text around
 * them is complete, and leaves out ids from callers or models, as in `metadata`, in `tools`, or in a user's message.
 *
 * @example
 * const ids = findAnswerIds(answer.headers, (id) => remember(id))
 */
export function findAnswerIds(headers: Headers, onId: OnObjectId): AnswerIds | undefined {
  const type = headers.get('content-type')
  const isStream = isEventStream(type)
  if (!isStream && !isJsonType(type) && !isVagueType(type)) return undefined
  const search = createSearch(onId)
  const add = isStream ? eventReader(search) : search.add
  const coding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (coding === 'identity' || coding === '') return { add, isLate: false, end: async () => undefined }
  const format = formatOf(coding)
  return format === undefined ? undefined : decoded(format, add)
}

function eventReader(search: Search): (chunk: Uint8Array) => void {
  // Nothing is held: the search takes an event in pieces.
  const splitter = new EventSplitter(0)
  const read = (chunk: Uint8Array): void => {
    for (const { bytes, isEnd } of splitter.split(chunk)) {
      search.add(bytes)
      if (isEnd) search.reset()
    }
  }
  return inParts(read)
}

/** A longer chunk is searched part by part: it may hold tens of thousands of events. */
const AT_ONCE_BYTES_MAX = 128 * 1024
const PART_BYTES = 32 * 1024

/** Searches a long chunk part by part, with rests in between; chunks that come meanwhile wait. */
function inParts(read: (part: Uint8Array) => void): (chunk: Uint8Array) => void {
  let waiting: Promise<void> | undefined
  let count = 0
  const readLong = async (chunk: Uint8Array): Promise<void> => {
    for (let at = 0; at < chunk.byteLength; at += PART_BYTES) {
      read(chunk.subarray(at, at + PART_BYTES))
      await breathe()
    }
    count -= 1
    if (count === 0) waiting = undefined
  }
  return (chunk) => {
    if (waiting === undefined && chunk.byteLength <= AT_ONCE_BYTES_MAX) {
      read(chunk)
      return
    }
    count += 1
    // The chunk is copied because its next writer may transfer its memory.
    const own = chunk.slice()
    waiting = (waiting ?? Promise.resolve()).then(() => readLong(own))
  }
}

interface Search {
  readonly add: (bytes: Uint8Array) => void
  /** Starts anew, for another text. */
  readonly reset: () => void
}

/** The ids that have been found in an open object or list. */
interface Finding {
  /** The ids in its own members. */
  readonly own: { readonly id: string; readonly isOwnId: boolean }[]
  /** The ids in its members' objects and lists. */
  readonly inner: string[]
  isCallers: boolean
}

function createSearch(onId: OnObjectId): Search {
  let open: Finding[] = []
  let count = 0
  const at = (depth: number): Finding => {
    while (open.length < depth) open.push({ own: [], inner: [], isCallers: false })
    const finding = open[depth - 1]
    if (finding === undefined) throw new Error('no depth is 0')
    return finding
  }
  const scanner = new StringScanner({
    stringBytesMax: OBJECT_ID_CHARS_MAX,
    depthMax: DEPTH_MAX,
    isWanted: (name) => name === 'role' || name === 'type' || namesObject(name),
    isSkipped: isRepeated,
    onString(name, text, depth) {
      const finding = at(depth)
      if (name === 'role') finding.isCallers ||= CALLERS_ROLES.has(text)
      else if (name === 'type') finding.isCallers ||= CALLERS_TYPE.test(text)
      else if (text.length >= ID_CHARS_MIN && count < IDS_MAX) {
        count += 1
        finding.own.push({ id: text, isOwnId: name === 'id' })
      }
    },
    onEnd(depth, name) {
      const finding = open[depth - 1]
      open = open.slice(0, depth - 1)
      if (depth === 1) count = 0
      // Nobody can ask later for the calls that a model asks for.
      if (finding === undefined || name === 'tool_calls') return
      const inner = finding.isCallers ? [] : finding.inner
      const isAbout = depth === 1 || (depth === 2 && name === 'response')
      const tell = depth === 1 ? (id: string) => onId(id, false) : (id: string) => at(depth - 1).inner.push(id)
      for (const { id, isOwnId } of finding.own) {
        if (isOwnId && isAbout) onId(id, true)
        else tell(id)
      }
      for (const id of inner) tell(id)
    },
  })
  return {
    add: (bytes) => scanner.add(bytes),
    reset() {
      scanner.reset()
      open = []
      count = 0
    },
  }
}

/** Searches a decoded copy of the passing bytes. */
function decoded(format: Bun.CompressionFormat, add: (chunk: Uint8Array) => void): AnswerIds {
  const { writable, readable } = new DecompressionStream(format)
  const writer = writable.getWriter()
  const read = async (): Promise<void> => {
    for await (const chunk of readable) add(chunk)
  }
  const reading = ignoreRejection(read())
  return {
    isLate: true,
    add(chunk) {
      void ignoreRejection(writer.write(chunk.slice()))
    },
    async end() {
      void ignoreRejection(writer.close())
      await reading
    },
  }
}
