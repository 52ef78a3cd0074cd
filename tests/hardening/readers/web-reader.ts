import { callOf } from '../caps/path-readers.ts'
import type { PlainObject, PlainValue } from '../caps/plain-value.ts'
import type { RealReader } from './real-reader.ts'
import { arrivalOf } from './request-bytes.ts'

/**
 * The reader that is always there: the platform's own `Request`, as servers on Web standards use it. It goes by the path as it stands in
 * the URL, and takes the first of two fields.
 */
export const WEB_READER: RealReader = {
  name: 'web',
  async read(bytes) {
    const { target, header, body } = arrivalOf(bytes)
    const url = URL.parse(`http://localhost${target}`)
    const call = url === null ? undefined : callOf(url.pathname)
    if (url === null || call === undefined) return []
    const type = header('content-type')
    const request = (): Request =>
      new Request(url.href, { method: 'POST', body, headers: type === undefined ? {} : { 'content-type': type } })
    const json: unknown = await request()
      .json()
      .catch(() => undefined)
    const form = await request()
      .formData()
      .catch(() => undefined)
    const bodies = [objectOf(json), form === undefined ? undefined : firsts(form.keys(), (name) => form.get(name))]
    return bodies
      .filter((one) => one !== undefined)
      .map((one) => ({
        ...{ ...call, reader: 'web', inHeaders: [], body: one },
        query: firsts(url.searchParams.keys(), (name) => url.searchParams.get(name)),
      }))
  },
}

function objectOf(value: unknown): PlainObject | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as PlainObject) : undefined
}

function firsts(names: Iterable<string>, get: (name: string) => unknown): PlainObject {
  const taken = Object.create(null) as Record<string, PlainValue>
  for (const name of names) {
    const value = get(name)
    if (typeof value === 'string') taken[name] = value
  }
  return taken
}
