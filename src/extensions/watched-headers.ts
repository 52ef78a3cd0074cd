import { createAttachment } from '../formats/attachment.ts'

const changes = createAttachment<Headers, true>('changed')

/** What the headers of a request inherit from once they are watched; it is a kind of `Headers` itself. */
const WATCHED: object = Object.create(Headers.prototype, {
  set: {
    value(this: Headers, name: string, value: string): void {
      changes.set(this, true)
      Headers.prototype.set.call(this, name, value)
    },
  },
  append: {
    value(this: Headers, name: string, value: string): void {
      changes.set(this, true)
      Headers.prototype.append.call(this, name, value)
    },
  },
  delete: {
    value(this: Headers, name: string): void {
      changes.set(this, true)
      Headers.prototype.delete.call(this, name)
    },
  },
})

/**
 * Watches headers from now on: to compare those of each request with what they were costs more than all the rest of an
 * extension that changes nothing.
 *
 * @example
 * watchHeaders(request.headers)
 */
export function watchHeaders(headers: Headers): void {
  Object.setPrototypeOf(headers, WATCHED)
}

/** Whether watched headers have been changed since. */
export function haveChanged(headers: Headers): boolean {
  return changes.get(headers) === true
}
