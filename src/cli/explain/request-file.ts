import { isJsonObject, type Json } from '../../json/json.ts'

/** A request that is to be explained. */
export interface AskedRequest {
  readonly method: string
  /** With `/v1`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** `token-1`, `caller`, `local`; undefined: the file does not say. */
  readonly principal: string | undefined
  /** The text of the body, byte for byte as it would be sent. */
  readonly body: string
}

const CHAT = '/v1/chat/completions'

/**
 * Reads the file of a request: a JSON body alone, which is sent as it stands, or an object with `body` and any of `path`,
 * `method`, `headers`, `principal` beside it. Gives what is wrong with it as the end of a sentence.
 *
 * @example
 * const request = readRequestFile('{"model":"smart","messages":[]}', undefined)
 */
export function readRequestFile(text: string, path: string | undefined): AskedRequest | string {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return 'is no JSON. Write the body of a request into it.'
  }
  const envelope = isJsonObject(value) && isJsonObject(value['body']) ? value : undefined
  const target = path ?? textOf(envelope?.['path']) ?? CHAT
  if (!target.startsWith('/'))
    return `names the path "${target}", which does not begin with a slash. Write it like ${CHAT}.`
  return {
    method: textOf(envelope?.['method']) ?? 'POST',
    path: target,
    headers: headersOf(envelope?.['headers']),
    principal: textOf(envelope?.['principal']),
    body: envelope === undefined ? text : JSON.stringify(envelope['body']),
  }
}

function headersOf(value: Json | undefined): Record<string, string> {
  if (!isJsonObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([name, content]) => [name, String(content)]))
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
