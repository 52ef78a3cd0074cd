import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'

const closed = { additionalProperties: false }
const Pairs = Type.Record(Type.String(), Type.String())
const Count = Type.Integer({ minimum: 0 })

/** The length of the largest body that is recorded, decoded or not. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024

/** A part of a multipart form: a field with its text, or a file with its hash. */
const CassettePart = Type.Object(
  {
    name: Type.String(),
    filename: Type.Optional(Type.String()),
    text: Type.Optional(Type.String()),
    /** Of the content, in hexadecimal digits. */
    sha256: Type.Optional(Type.String()),
    /** Length of the content. */
    bytes: Type.Optional(Count),
  },
  closed,
)

/** A part of a recorded multipart form. */
export type CassettePart = Static<typeof CassettePart>

const CassetteRequestBody = Type.Object(
  {
    json: Type.Optional(Type.Unknown()),
    text: Type.Optional(Type.String()),
    base64: Type.Optional(Type.String()),
    parts: Type.Optional(Type.Array(CassettePart)),
  },
  closed,
)

/** The body of a recorded request, in exactly one of its forms. */
export type CassetteRequestBody = Static<typeof CassetteRequestBody>

const CassetteAnswerBody = Type.Object(
  {
    json: Type.Optional(Type.Unknown()),
    /** The spaces that each level of `json` is indented by; none where absent. */
    indent: Type.Optional(Type.Integer({ minimum: 1, maximum: 8 })),
    /** Whether a line feed follows `json`. */
    newline: Type.Optional(Type.Boolean()),
    text: Type.Optional(Type.String()),
    base64: Type.Optional(Type.String()),
  },
  closed,
)

/** The body of a recorded answer that is no stream, in exactly one of its forms. */
export type CassetteAnswerBody = Static<typeof CassetteAnswerBody>

const CassetteEvent = Type.Object(
  { at_ms: Type.Number({ minimum: 0 }), text: Type.Optional(Type.String()), base64: Type.Optional(Type.String()) },
  closed,
)

/** One chunk of a recorded stream: its very bytes, and when it came after the head. */
export type CassetteEvent = Static<typeof CassetteEvent>

const Cassette = Type.Object(
  {
    /** The version of this format. */
    cassette: Type.Literal(1),
    recorded_at: Type.Optional(Type.String()),
    request: Type.Object(
      {
        method: Type.String({ pattern: '^[A-Z]+$' }),
        path: Type.String({ pattern: '^/' }),
        query: Type.Optional(Type.String()),
        headers: Type.Optional(Pairs),
        body: Type.Optional(CassetteRequestBody),
      },
      closed,
    ),
    response: Type.Object(
      {
        status: Type.Integer({ minimum: 200, maximum: 599 }),
        /** From the request's arrival to the head of the answer. */
        after_ms: Type.Optional(Type.Number({ minimum: 0 })),
        headers: Type.Optional(Pairs),
        body: Type.Optional(CassetteAnswerBody),
        events: Type.Optional(Type.Array(CassetteEvent)),
      },
      closed,
    ),
  },
  closed,
)

/** One exchange, as its file has it. */
export type Cassette = Static<typeof Cassette>

/** The request of an exchange. */
export type CassetteRequest = Cassette['request']

/** The answer of an exchange. */
export type CassetteResponse = Cassette['response']

/** A cassette, and the name of its file. */
export interface NamedCassette {
  readonly name: string
  readonly cassette: Cassette
}

/** A problem of a cassette. */
export interface CassetteProblem {
  /** The place, such as `response.events[2].at_ms`; empty: the whole cassette. */
  readonly path: string
  readonly wrong: string
}

/**
 * Checks the content of a file. Returns the cassette, or all its problems.
 *
 * @example
 * const checked = checkCassette(JSON.parse(text))
 * if (!Array.isArray(checked)) play(checked)
 */
export function checkCassette(value: unknown): Cassette | readonly CassetteProblem[] {
  const check = compiled()
  if (!check.Check(value)) return problemsOf(value, check)
  const problems = formProblems(value)
  return problems.length === 0 ? value : problems
}

let check: TypeCheck<typeof Cassette> | undefined

/** Compiles the schema on first use, so that a gateway without cassettes does not wait for it. */
function compiled(): TypeCheck<typeof Cassette> {
  check ??= TypeCompiler.Compile(Cassette)
  return check
}

/** Takes the first problem of each place: the others there follow from it. */
function problemsOf(value: unknown, schema: TypeCheck<TSchema>): CassetteProblem[] {
  const byPath = new Map<string, string>()
  for (const { path, message } of schema.Errors(value)) {
    if (!byPath.has(path)) byPath.set(path, message.charAt(0).toLowerCase() + message.slice(1))
  }
  return [...byPath].map(([pointer, wrong]) => ({ path: pathOf(pointer), wrong }))
}

/** Writes `/response/events/2/at_ms` (RFC 6901) as `response.events[2].at_ms`. */
function pathOf(pointer: string): string {
  const steps = pointer.split('/').slice(1)
  const unescaped = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  return unescaped
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('')
}

/** Checks what the schema can't: each body has exactly one form, and base64 is base64. */
function formProblems({ request, response }: Cassette): CassetteProblem[] {
  const problems: CassetteProblem[] = []
  const add = (path: string, wrong: string): void => void problems.push({ path, wrong })
  const checkForm = (path: string, forms: object, base64: string | undefined): void => {
    const names = Object.keys(forms)
    const given = names.filter((name) => forms[name as keyof typeof forms] !== undefined)
    if (given.length !== 1) add(path, `expected exactly one of ${names.join(', ')}`)
    if (base64 !== undefined && !isBase64(base64)) add(`${path}.base64`, 'expected base64')
  }
  if (request.body !== undefined) {
    const { json, text, base64, parts } = request.body
    checkForm('request.body', { json, text, base64, parts }, base64)
  }
  if (response.body !== undefined) {
    const { json, text, base64 } = response.body
    checkForm('response.body', { json, text, base64 }, base64)
  }
  if (response.body !== undefined && response.events !== undefined)
    add('response', 'expected a body or events, not both')
  for (const [index, { text, base64 }] of (response.events ?? []).entries()) {
    checkForm(`response.events[${index}]`, { text, base64 }, base64)
  }
  return problems
}

function isBase64(text: string): boolean {
  try {
    Uint8Array.fromBase64(text)
    return true
  } catch {
    return false
  }
}
