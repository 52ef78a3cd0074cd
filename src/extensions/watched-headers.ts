import { createAttachment } from '../formats/attachment.ts'

const changed = createAttachment<Headers, true>('changed')

/** The prototype of watched headers, itself a kind of `Headers`: each change is noted. */
const WATCHED: object = Object.create(Headers.prototype, {
  set: {
    value(this: Headers, name: string, value: string): void {
      changed.set(this, true)
      Headers.prototype.set.call(this, name, value)
    },
  },
  append: {
    value(this: Headers, name: string, value: string): void {
      changed.set(this, true)
      Headers.prototype.append.call(this, name, value)
    },
  },
  delete: {
    value(this: Headers, name: string): void {
      changed.set(this, true)
      Headers.prototype.delete.call(this, name)
    },
  },
})

/**
 * Watches headers from now on. To compare the headers of each request with a copy would cost more than everything else about an extension
 * that changes nothing.
 *
 * @example
 * watchHeaders(request.headers)
 */
export function watchHeaders(headers: Headers): void {
  Object.setPrototypeOf(headers, WATCHED)
}

/** Whether watched headers have been changed. */
export function haveChanged(headers: Headers): boolean {
  return changed.get(headers) === true
}
