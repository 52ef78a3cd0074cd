import type { Bomb } from '../bombs/bomb.ts'
import type { RigName } from './rigs.ts'

/** A request that may keep the event loop, and the gateway that it is sent to. */
export interface LoopCase extends Bomb {
  readonly rig: RigName
}

/** Bytes. */
export const MIB = 1024 * 1024
/** Where a chat is asked for. */
export const CHAT = '/v1/chat/completions'
/** The headers of a body in JSON. */
export const JSON_TYPE = { 'content-type': 'application/json' }
export const SERVED = [200]
/** What is asked of an upstream whose answer breaks something, or is refused. */
export const ANY = [200, 413, 500, 502, 503]

export const BOUNDARY = 'b'
export const FORM_TYPE = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }

export function times(text: string, bytes: number): string {
  return text.repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(text))))
}

export function chatWith(x: string, model = 'm', more = ''): Buffer {
  return Buffer.from(`{"model":"${model}","messages":[{"role":"user","content":"hi"}]${more},"x":${x}}`)
}

/** A form with a file of so many bytes. */
export function formWith(model: string, file: string): Buffer {
  const field = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n`
  const content = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n${file}\r\n`
  return Buffer.from(`${field}${content}--${BOUNDARY}--\r\n`)
}

export const SMALL = chatWith('0')
export const SMALL_STREAM = chatWith('0', 'm', ',"stream":true')

/** Answers of all kinds. */
export const ANSWERS = [
  'text',
  'escapes',
  'values',
  'vectors',
  'events',
  'short-events',
  'comments',
  'data-lines',
] as const
export const LONG_EVENTS = ['one-event', 'one-dense-event'] as const
export const LINE_ENDS = ['line-feeds', 'carriage-returns', 'mixed-line-ends'] as const
