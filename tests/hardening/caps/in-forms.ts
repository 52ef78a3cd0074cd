import type { Random } from '../random.ts'
import { encodeUtf7 } from './charsets.ts'
import { forbidden } from './forbidden.ts'
import { BOUNDARY, type RequestParts } from './request-parts.ts'

/** What parsers of forms read in different ways: heads of parts, delimiters, what surrounds them. */
export function malform(parts: RequestParts, random: Random): void {
  const { name, value } = forbidden(random)
  const text = value.replaceAll('"', '')
  toForm(parts, random)
  const part = (head: string): string => `--${BOUNDARY}\r\n${head}\r\n\r\n${text}\r\n`
  const named = `Content-Disposition: form-data; name="${name}"`
  const extra = random.pick([
    part(named),
    part(`Content-Disposition: form-data; name=${name}`),
    part(`Content-Disposition: form-data; name='${name}'`),
    part(`content-disposition: FORM-DATA; NAME="${name}"`),
    part(`Content-Disposition: form-data; name*=UTF-8''${name}`),
    part(`Content-Disposition: form-data; name="x"; name="${name}"`),
    part(`Content-Disposition: form-data; name="\\${name}"`),
    part(`Content-Disposition: form-data; x="; name=${name}"`),
    part(`Content-Disposition: attachment; name="${name}"`),
    part(`${named}; filename=""`),
    part(`${named}; filename*=UTF-8''a`),
    part(`X: y\r\n${named}`),
    part(`${named}\r\nContent-Type: application/json`),
    part(`${named}\r\nContent-Type: text/plain; charset=utf-16`),
    part(`${named}\r\nContent-Transfer-Encoding: base64`),
    part(`Content-Disposition: form-data;\r\n name="${name}"`),
    part(named).replaceAll('\r\n', '\n'),
    part(`Content-Disposition: form-data; name="${name}[]"`),
    part(`Content-Disposition: form-data; name="_charset_"`) + part(named),
    part(`Content-Disposition: form-data; name="${encodeUtf7(name)}"`),
    part(`Content-Disposition: form-data; name="${encodeUtf7(name)}"`),
  ])
  parts.rewrites.push(
    random.pick<(form: string) => string>([
      (form) => extra + form,
      (form) => form.replace(`--${BOUNDARY}--`, `${extra}--${BOUNDARY}--`),
      (form) => `${form}${extra}--${BOUNDARY}--\r\n`,
      (form) => `x\r\n${extra}${form}`,
    ]),
  )
  if (random.percent(40)) {
    parts.type = random.pick([
      `multipart/form-data; boundary=other; boundary=${BOUNDARY}`,
      `multipart/form-data; boundary=${BOUNDARY}; boundary=other`,
      `multipart/form-data; boundary="${BOUNDARY}"`,
      `multipart/mixed; boundary=${BOUNDARY}`,
      `Multipart/Form-Data; Boundary=${BOUNDARY}`,
      `multipart/form-data; charset=utf-16; boundary=${BOUNDARY}`,
      `multipart/form-data; charset=utf-7; boundary=${BOUNDARY}`,
      `multipart/form-data; boundary=${BOUNDARY}; charset="utf-7"`,
    ])
  }
}

function toForm(parts: RequestParts, random: Random): void {
  if (parts.form === 'multipart') return
  parts.form = 'multipart'
  parts.type = `multipart/form-data; boundary=${BOUNDARY}`
  if (random.percent(80))
    parts.path = random.pick(['/v1/audio/transcriptions', '/v1/images/edits', '/v1/audio/translations'])
}
