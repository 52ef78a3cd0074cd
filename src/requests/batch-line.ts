import { isJsonObject } from '../formats/json/json.ts'
import { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { parseJson } from './parse-json.ts'

/** A call in a line of a batch's file. `offset` is where its body begins in the line, in bytes. */
export interface LineCall {
  readonly line: JsonBody
  readonly body: JsonBody
  readonly offset: number
  readonly url: string | undefined
}

const CR = 0x0d
/** A line has at most this many parts between CRs: each of them has to be read. */
const PARTS_MAX = 100

/**
 * Reads the call in a line; undefined: the line is no call. Rejects with `too_many_values`.
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
 * Whether a reader that ends lines at a CR, as Python's files do, may find a call within a line: JSON reads a CR as white space. A string
 * can hold no call, since its quotes are escaped.
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
