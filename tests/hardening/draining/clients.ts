import { openRawClient, parseResponse, postText, type RawClient } from '../../helpers/raw-client.ts'
import { ANSWER, EVENTS, STREAM_TEXT } from './ending-server.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[]}'
const CHAT_STREAM = '{"model":"m","messages":[],"stream":true}'
/** As soon as that has come, a stream is under way. */
const FIRST_EVENTS = EVENTS.slice(0, 3).join('')

/** What became of a client. */
export interface Fate {
  /** Answers that it got as a whole. */
  readonly whole: number
  /** Refusals, as a whole: another server would answer. */
  readonly refused: number
  /** What was cut; undefined: nothing. */
  readonly cut: string | undefined
}

/** A client that reads one stream. */
export interface StreamClient {
  /** Resolves when it is under way. */
  readonly isUnderWay: Promise<unknown>
  readonly fate: Promise<Fate>
}

/** Opens a stream on a connection of its own. */
export async function openStream(port: number): Promise<StreamClient> {
  const client = await openRawClient(port)
  client.write(postText('/v1/chat/completions', CHAT_STREAM, KEY))
  const isUnderWay = client.until((received) => (parseResponse(received)?.text() ?? '').startsWith(FIRST_EVENTS))
  return { isUnderWay, fate: isUnderWay.then(() => readStream(client), notAnswered) }
}

async function readStream(client: RawClient): Promise<Fate> {
  const answer = await client.response()
  client.leave()
  const isWhole = answer.isComplete && answer.status === 200 && answer.text() === STREAM_TEXT
  const cut = isWhole ? undefined : `a stream ended behind ${answer.body.byteLength} of ${STREAM_TEXT.length} bytes`
  return { whole: isWhole ? 1 : 0, refused: 0, cut }
}

/** Sends one request behind the other on a connection, until it is refused, or told that the connection ends. */
export async function keepBusy(port: number): Promise<Fate> {
  let whole = 0
  let client = await openRawClient(port)
  for (;;) {
    const before = client.received().byteLength
    client.write(postText('/v1/chat/completions', CHAT, KEY))
    const answer = await client
      .until((received) => parseResponse(received.subarray(before))?.isComplete === true)
      .then(
        (received) => parseResponse(received.subarray(before)),
        () => undefined,
      )
    // A connection that closes before a byte of the answer has come: the server may have closed an idle one (RFC 9112 §9.5).
    if (answer === undefined) {
      const rest = client.received().subarray(before)
      client.leave()
      return {
        whole,
        refused: 0,
        cut: `request ${whole + 1} of a busy connection got ${JSON.stringify(rest.toString().slice(0, 80))}`,
      }
    }
    if (answer.status === 503 && answer.headers.has('retry-after')) {
      client.leave()
      return { whole, refused: 1, cut: undefined }
    }
    if (answer.status !== 200 || answer.text() !== ANSWER) {
      return { whole, refused: 0, cut: `a busy connection got ${answer.status} ${answer.text().slice(0, 80)}` }
    }
    whole += 1
    if (answer.headers.get('connection') === 'close') {
      client.leave()
      return { whole, refused: 0, cut: undefined }
    }
    // What has been read is let go: a busy connection may go on for long.
    if (before > 1_000_000) {
      client.leave()
      client = await openRawClient(port)
    }
  }
}

function notAnswered(cause: unknown): Fate {
  return { whole: 0, refused: 0, cut: `a stream never began: ${String(cause)}` }
}
