import type { Form } from './call.ts'
import type { JsonObject, JsonValue } from './json-value.ts'
import { isJsonObject } from './json-value.ts'
import { invalidJson, type SimulatedError, tooLarge, unsupportedContentType } from './refusals.ts'

const bytesMax = 64 * 1024 * 1024

/** The body of a request. */
export interface ReceivedBody {
  /** All of it, or nothing where it was larger than the simulation takes. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The answer to a body that is too large. */
  readonly refusal: SimulatedError | undefined
}

/** Reads the body of a request to its end, and keeps at most 64 MiB. @throws the signal's reason where the client leaves. */
export async function readBody(request: Request): Promise<ReceivedBody> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let bytesRead = 0
  for await (const chunk of request.body ?? []) {
    bytesRead += chunk.byteLength
    // Read to its end all the same: a client that is still sending would not see the answer.
    if (bytesRead <= bytesMax) chunks.push(chunk)
  }
  if (bytesRead > bytesMax) return { bytes: new Uint8Array(), refusal: tooLarge(bytesMax, bytesRead) }
  return { bytes: new Uint8Array(await new Blob(chunks).arrayBuffer()), refusal: undefined }
}

/** The JSON object in a body, or undefined where there is none. */
export function parseObject(body: Uint8Array): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The JSON object in a body. @throws SimulatedError 400 where it is something else, or said to be of another type. */
export function requireObject(body: JsonObject | undefined, contentType: string | null): JsonObject {
  const type = mediaType(contentType)
  if (type !== '' && type !== 'application/json') throw unsupportedContentType(type, 'application/json')
  if (body === undefined) throw invalidJson()
  return body
}

/** The form in a body. @throws SimulatedError 400 where it is none. */
export async function requireForm(body: Uint8Array<ArrayBuffer>, contentType: string | null): Promise<Form> {
  const type = mediaType(contentType)
  if (type !== 'multipart/form-data') throw unsupportedContentType(type, 'multipart/form-data')
  try {
    return await new Response(body, { headers: { 'content-type': contentType ?? '' } }).formData()
  } catch {
    throw invalidJson()
  }
}

function mediaType(contentType: string | null): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
