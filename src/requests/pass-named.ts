import type { Exchange } from '../exchange/exchange.ts'
import { mayBeJsonRequest } from '../formats/http/media-types.ts'
import { bodyAsIs, type OutgoingBody } from './outgoing-body.ts'
import { type Compared, isLongerThan, PASSES, type PassDeps } from './pass-body.ts'
import { readBytes } from './read-bytes.ts'
import { readForm } from './read-form.ts'

/**
 * Makes the function that passes on the body of a call that is booked, and notes the model that it names: every byte goes on as it came, and
 * nothing in it is refused. What can't be read, or is too long to be, is left unread.
 *
 * @example
 * const passOn = passNamed('none')
 */
export function passNamed(compared: Compared): (typeof PASSES)[Compared] {
  return (exchange, deps, depth) => {
    const type = exchange.request.headers.get('content-type')
    if (isReadableForm(exchange, type, deps)) return passForm(exchange, type, deps)
    return PASSES[mayBeJsonRequest(type) ? 'any' : compared](exchange, deps, depth)
  }
}

function isReadableForm(exchange: Exchange, type: string | null, { reading }: PassDeps): type is string {
  const { headers } = exchange.request
  if (type === null || !type.toLowerCase().startsWith('multipart/form-data')) return false
  if (headers.has('content-encoding') || !headers.has('content-length')) return false
  return !isLongerThan(exchange, reading.bytesMax)
}

async function passForm(exchange: Exchange, type: string, { reading }: PassDeps): Promise<OutgoingBody> {
  const bytes = await readBytes(exchange, reading)
  const fields = readForm(bytes, type)?.fields
  exchange.model = fields?.get('model')?.at(-1) ?? exchange.named?.model
  exchange.stream = fields?.get('stream')?.at(-1) === 'true'
  const body = bodyAsIs(bytes, exchange.named?.model)
  return fields === undefined ? body : { ...body, fields }
}
