import { applyEdits, changeMembers } from '../formats/json/edit.ts'
import { JsonBody } from '../formats/json/json-body.ts'
import { membersOf, objectStart } from '../formats/json/members.ts'

const OPEN_BRACE = 0x7b

/** The model that a body names, if it names one. */
export function modelOf(value: unknown): string | undefined {
  return isObject(value) && typeof value['model'] === 'string' ? value['model'] : undefined
}

/** Whether a body asks for a stream. */
export function wantsStream(value: unknown): boolean {
  return isObject(value) && value['stream'] === true
}

/**
 * Puts a model into a body that names none, as its first member; every other byte stays as it came.
 *
 * Gives the same body if it names a model, or is no object.
 *
 * @example
 * const isChanged = withDefaultModel(body, 'gpt-3.5-turbo') !== body
 */
export function withDefaultModel(body: JsonBody, model: string): JsonBody {
  const { outline, unread } = body
  if (!isObject(outline) || 'model' in outline) return body
  const at = body.bytes.indexOf(OPEN_BRACE) + 1
  const separator = Object.keys(outline).length === 0 ? '' : ','
  const member = new TextEncoder().encode(`"model":${JSON.stringify(model)}${separator}`)
  const changed = new Uint8Array(body.bytes.byteLength + member.byteLength)
  changed.set(body.bytes.subarray(0, at))
  changed.set(member, at)
  changed.set(body.bytes.subarray(at), at + member.byteLength)
  return new JsonBody(changed, { model, ...outline }, { unread })
}

/**
 * Puts the model of the request's path into a body, in place of the body's own: servers of such a path go by the path.
 *
 * @example
 * const named = withModel(body, 'gpt-4o')
 */
export function withModel(body: JsonBody, model: string): JsonBody {
  const { outline, unread } = body
  if (!isObject(outline) || !('model' in outline)) return withDefaultModel(body, model)
  if (outline['model'] === model) return body
  const text = JSON.stringify(model)
  const edits = body.members
    .filter(({ key }) => key === 'model')
    .map(({ valueStart, valueEnd }) => ({ start: valueStart, end: valueEnd, text }))
  return new JsonBody(applyEdits(body.bytes, edits), { ...outline, model }, { unread })
}

/**
 * Removes the model that was put into a body.
 *
 * @example
 * const body = withoutModel(bytes)
 */
export function withoutModel(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const members = membersOf(bytes)
  const removed = new Set(members.filter(({ key }) => key === 'model'))
  return applyEdits(bytes, changeMembers(objectStart(bytes), members, { removed, inserted: [] }))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
