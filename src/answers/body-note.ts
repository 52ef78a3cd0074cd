import { createAttachment } from '../formats/attachment.ts'
import { passThrough } from './pass-through.ts'
import type { Rewriting } from './rewrite-stream.ts'
import type { Tap } from './tap.ts'

/** The note for the writer of a response about its body, so that the body passes through no more streams than it must. */
export type BodyNote =
  /** The whole body; the response itself may have none. */
  | { readonly whole: Uint8Array<ArrayBuffer> }
  /** The body has not been read; its reader tells this tap of each chunk and of the end. */
  | { readonly tap: Tap }

const notes = createAttachment<Response, BodyNote>('body note')

/**
 * Keeps a note beside a response.
 *
 * @example
 * noteBody(response, { whole: bytes })
 */
export function noteBody(response: Response, note: BodyNote): Response {
  notes.set(response, note)
  return response
}

/**
 * Gives the note beside a response; undefined: it is a standard one, complete in itself.
 *
 * @example
 * const note = bodyNoteOf(response)
 */
export function bodyNoteOf(response: Response): BodyNote | undefined {
  return notes.get(response)
}

/**
 * Gives the whole body of a response, if it is noted beside it.
 *
 * @example
 * const kept = wholeOf(answer)
 */
export function wholeOf(response: Response): Uint8Array<ArrayBuffer> | undefined {
  const note = notes.get(response)
  return note !== undefined && 'whole' in note ? note.whole : undefined
}

/**
 * Makes a standard response from one with a note, for a server that does not know notes.
 *
 * @example
 * return isEdgeOurs ? response : standalone(response)
 */
export function standalone(response: Response): Response {
  const note = notes.get(response)
  if (note === undefined) return response
  if ('whole' in note) return new Response(note.whole, response)
  return new Response(response.body === null ? null : passThrough(response.body, note.tap), response)
}

const silences = createAttachment<Response, number>('silent since')

/**
 * Notes beside an answer when its last byte came, in the time of `performance.now()`: the wait for the next byte began then.
 *
 * @example
 * noteSilence(answer, held.lastByteAt)
 */
export function noteSilence(response: Response, since: number): void {
  silences.set(response, since)
}

/**
 * Gives the time that an answer has been silent when it is handed on, in ms; 0: it has not been waited for.
 *
 * @example
 * const idle = deadlines.start(idleMs, onExpire, silentMs(answer))
 */
export function silentMs(response: Response): number {
  const since = silences.get(response)
  return since === undefined ? 0 : performance.now() - since
}

/** A body that is changed while it is read. */
export interface RewrittenBody {
  readonly source: ReadableStream<Uint8Array>
  readonly rewriting: Rewriting
}

const rewritten = createAttachment<Response, RewrittenBody>('rewritten body')

/**
 * Notes beside an answer what its body is made of. Who reads it first may read the source instead, through a tap with that rewriting: each
 * stream between two others costs.
 *
 * @example
 * noteRewriting(new Response(rewriteStream(source, cut), answer), { source, rewriting: cut })
 */
export function noteRewriting(response: Response, body: RewrittenBody): Response {
  rewritten.set(response, body)
  return response
}

/** Gives what the body of an answer is made of; undefined: it is read as it is. */
export function rewrittenOf(response: Response): RewrittenBody | undefined {
  return rewritten.get(response)
}
