import type { Random } from '../random.ts'

/** A request in the making, whose parts attacks change. */
export interface RequestParts {
  path: string
  readonly query: string[]
  form: 'json' | 'urlencoded' | 'multipart'
  /** undefined: none. */
  type: string | undefined
  /** Names and values as JSON texts; of forms, without the quotes of texts. */
  readonly members: (readonly [name: string, value: string])[]
  /** What becomes of the JSON text. */
  readonly rewrites: ((text: string) => string)[]
  /** What becomes of its bytes. */
  readonly encodings: ((bytes: Buffer) => Buffer)[]
  readonly headers: Record<string, string>
}

/** Of all forms. */
export const BOUNDARY = 'grammar-1'

/** A request that nothing is wrong with, for a JSON endpoint or a form. */
export function plainParts(random: Random): RequestParts {
  const endpoint = random.pick(['chat/completions', 'chat/completions', 'completions', 'responses', 'embeddings'])
  const isForm = random.percent(12)
  const members: (readonly [string, string])[] = [['"model"', '"cheap"']]
  if (isForm) {
    members.push(['"prompt"', '"x"'])
  } else {
    members.push(['"messages"', '[{"role":"user","content":"hi"}]'])
    if (random.percent(50)) members.push(['"max_tokens"', random.pick(['5', '100', '1e2', '99.0'])])
    if (random.percent(20)) members.push(['"temperature"', '0.5'])
  }
  return {
    path: `/v1/${isForm ? random.pick(['audio/transcriptions', 'images/edits']) : endpoint}`,
    query: [],
    form: isForm ? 'multipart' : 'json',
    type: isForm ? `multipart/form-data; boundary=${BOUNDARY}` : 'application/json',
    members,
    rewrites: [],
    encodings: [],
    headers: {},
  }
}

/** Writes a request as its bytes. */
export function requestBytes(parts: RequestParts, id: string): Buffer {
  const { path, query, type, headers, encodings } = parts
  const body = encodings.reduce((bytes, encode) => encode(bytes), bodyOf(parts))
  const target = query.length === 0 ? path : `${path}?${query.join('&')}`
  const lines = Object.entries({
    Host: 'localhost',
    'X-Case': id,
    ...(type === undefined ? {} : { 'Content-Type': type }),
    'Content-Length': String(body.byteLength),
    Connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), body])
}

function bodyOf({ form, members, rewrites }: RequestParts): Buffer {
  if (form === 'json') {
    const text = `{${members.map(([name, value]) => `${name}:${value}`).join(',')}}`
    return Buffer.from(rewrites.reduce((written, rewrite) => rewrite(written), text))
  }
  const fields = members.map(([name, value]) => [plain(name), plain(value)] as const)
  if (form === 'urlencoded') return Buffer.from(fields.map(([name, value]) => `${name}=${value}`).join('&'))
  const parts = fields.map(([name, value]) => {
    return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  })
  const text = `${parts.join('')}--${BOUNDARY}--\r\n`
  return Buffer.from(rewrites.reduce((written, rewrite) => rewrite(written), text))
}

/** A JSON text as a form's field has it. */
function plain(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : text
  } catch {
    return text.replace(/^"|"$/g, '')
  }
}
