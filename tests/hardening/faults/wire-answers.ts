/** A whole answer as it stands on the wire, and where things are in it. */
export interface WireAnswer {
  readonly bytes: Buffer
  /** Where its body begins. */
  readonly bodyAt: number
  /** Where the last byte that matters begins: without it, the answer is not whole. */
  readonly lastAt: number
  /** Where its events or other pieces begin, in order: with a chunked one, a chunk each. */
  readonly piecesAt: readonly number[]
}

/** The forms that an upstream's answer comes in. */
export type Shape = 'stream' | 'stream-until-close' | 'json' | 'json-chunked' | 'audio' | 'audio-chunked'
export const SHAPES: readonly Shape[] = [
  'stream',
  'stream-until-close',
  'json',
  'json-chunked',
  'audio',
  'audio-chunked',
]

/** Where each form is asked for. */
export const TARGETS: Readonly<Record<Shape, string>> = {
  stream: '/v1/chat/completions',
  'stream-until-close': '/v1/chat/completions',
  json: '/v1/chat/completions',
  'json-chunked': '/v1/embeddings',
  audio: '/v1/audio/speech',
  'audio-chunked': '/v1/audio/speech',
}

const WORDS = 'what breaks off is never taken for the whole and what is whole comes once'.split(' ')

/** The body of an answer; no two calls have the same. */
export function bodyOf(shape: Shape, id: string): readonly Buffer[] {
  const parts = partsOf(shape, id)
  return parts.map((part) => Buffer.from(part, 'latin1'))
}

function partsOf(shape: Shape, id: string): readonly string[] {
  if (shape.startsWith('audio')) return WORDS.map((word) => `\x00\xff${id}\x80${word}`.repeat(8))
  if (shape.startsWith('json')) {
    const message = { role: 'assistant', content: `${id}: ${WORDS.join(' ')}` }
    const whole = JSON.stringify({
      id,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
    })
    return [whole.slice(0, 40), whole.slice(40, 90), whole.slice(90)]
  }
  const event = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  // The end of a stream of words is what nobody may miss: its last event and the reason before it are one piece.
  return [...WORDS.map((content) => event({ content }, null)), `${event({}, 'stop')}data: [DONE]\n\n`]
}

const CONTENT_TYPES = { stream: 'text/event-stream', json: 'application/json', audio: 'audio/mpeg' } as const

/** Writes a whole answer. */
export function wireAnswer(shape: Shape, id: string): WireAnswer {
  const parts = bodyOf(shape, id)
  const type = CONTENT_TYPES[shape.split('-')[0] as keyof typeof CONTENT_TYPES]
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const isChunked = shape === 'stream' || shape.endsWith('-chunked')
  const framing = isChunked
    ? 'transfer-encoding: chunked'
    : shape === 'stream-until-close'
      ? 'connection: close'
      : `content-length: ${length}`
  const head = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\nx-request-id: ${id}\r\n${framing}\r\n\r\n`)
  const pieces: Buffer[] = [head]
  const piecesAt: number[] = []
  let at = head.byteLength
  const push = (piece: Buffer): void => {
    pieces.push(piece)
    at += piece.byteLength
  }
  for (const part of parts) {
    piecesAt.push(at)
    if (isChunked) push(Buffer.from(`${part.byteLength.toString(16)}\r\n`))
    push(part)
    if (isChunked) push(Buffer.from('\r\n'))
  }
  // The last event of a stream may lack its empty line's end, and JSON the last bracket's chunk end: the byte that matters is before.
  const lastAt = lastPlace(shape, at, parts.at(-1)?.byteLength ?? 0, isChunked)
  if (isChunked) push(Buffer.from('0\r\n\r\n'))
  return { bytes: Buffer.concat(pieces), bodyAt: head.byteLength, lastAt, piecesAt }
}

function lastPlace(shape: Shape, end: number, lastPart: number, isChunked: boolean): number {
  const contentEnd = isChunked ? end - 2 : end
  // Behind the finish reason a stream is as good as whole: what matters is the piece with both.
  if (shape.startsWith('stream')) return contentEnd - lastPart
  // Sound is whole with its framing only.
  return isChunked && shape.startsWith('audio') ? end : contentEnd - 1
}
