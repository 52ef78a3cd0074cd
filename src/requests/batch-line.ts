import { isJsonObject } from '../formats/json/json.ts'
import { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { parseJson } from './parse-json.ts'

/** A call in a line of a batch's file, and where its body begins in that. */
export interface LineCall {
  readonly line: JsonBody
  readonly body: JsonBody
  readonly offset: number
  readonly url: string | undefined
}

const CR = 0x0d
/** Each part of a line is read: nobody writes more of them. */
const PARTS_MAX = 100

/**
 * The call in a line; undefined: it is none. Rejects with `too_many_values`.
 *
 * @example
 * const call = await callIn(bytes.subarray(at, lineEnd))
 */
export async function callIn(line: Uint8Array<ArrayBuffer>): Promise<LineCall | undefined> {
  let value: unknown
  try {
    const parsing = parseJson(line)
    value = parsing instanceof Promise ? (await parsing).value : parsing.value
  } catch (thrown) {
    if (thrown instanceof ApiError) throw thrown
    return undefined
  }
  if (!isJsonObject(value) || !isJsonObject(value['body'])) return undefined
  const json = new JsonBody(line, value)
  const member = json.members.findLast(({ key }) => key === 'body')
  if (member === undefined) return undefined
  const { valueStart: offset, valueEnd } = member
  const url = typeof value['url'] === 'string' ? value['url'] : undefined
  return { line: json, body: new JsonBody(line.subarray(offset, valueEnd), value['body']), offset, url }
}

/**
 * Whether a reader who takes a CR for the end of a line, as Python's files do, finds a call within one, or may: to JSON it is white space.
 * In a text no call can stand, as its quotes are escaped there.
 *
 * @example
 * if (await hidesCall(line)) throw notACall()
 */
export async function hidesCall(line: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const end = line.at(-1) === CR ? line.byteLength - 1 : line.byteLength
  let parts = 0
  let cr = line.indexOf(CR)
  for (let at = 0; cr !== -1 && cr < end; at = cr + 1, cr = line.indexOf(CR, at)) {
    parts += 1
    if (parts > PARTS_MAX || (await callIn(line.subarray(at, cr))) !== undefined) return true
  }
  return false
}
