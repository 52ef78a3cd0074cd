import { isJsonObject } from '../json/json.ts'

/** Which account holds an object: an upstream, and one of its keys. */
export interface Whereabouts {
  readonly upstream: string
  readonly keyIndex: number
}

/** Where objects were created, such as files and responses: only their own account knows them. */
export interface RememberedIds {
  readonly remember: (id: string, where: Whereabouts) => void
  /** undefined: forgotten, or never known. */
  readonly find: (id: string) => Whereabouts | undefined
}

const REMEMBERED_MAX = 10_000
/** What is longer is no id. */
const ID_CHARS_MAX = 256

/**
 * Makes an empty memory of 10,000 objects; those that nobody has asked for the longest are forgotten first.
 *
 * @example
 * const remembered = createRememberedIds()
 */
export function createRememberedIds(): RememberedIds {
  const known = new Map<string, Whereabouts>()
  const remember = (id: string, where: Whereabouts): void => {
    known.delete(id)
    known.set(id, where)
    if (known.size <= REMEMBERED_MAX) return
    const [oldest] = known.keys()
    if (oldest !== undefined) known.delete(oldest)
  }
  return {
    remember(id, where) {
      if (id.length <= ID_CHARS_MAX) remember(id, where)
    },
    find(id) {
      const where = known.get(id)
      if (where !== undefined) remember(id, where)
      return where
    },
  }
}

/** A segment of a path that may be an id: words such as `content` have no digit, `_` or `-`. */
const PATH_ID = /^(?=.*[\d_-])[^/]{4,256}$/

/** Where JSON bodies name objects; `*` stands for each element of a list. */
const REFERENCES: readonly (readonly string[])[] = [
  ['previous_response_id'],
  ['conversation'],
  ['conversation', 'id'],
  ['input_file_id'],
  ['file_id'],
  ['file_ids', '0'],
  ['training_file'],
  ['validation_file'],
  ['thread_id'],
  ['assistant_id'],
  ['vector_store_ids', '0'],
  ['container'],
  ['tools', '*', 'vector_store_ids', '0'],
  ['tools', '*', 'container'],
]

/**
 * The ids of objects that a request may refer to: first those in its path, then those in its JSON body. A segment of the
 * path that only looks like an id is among them.
 *
 * @example
 * const where = idsIn('/v1/responses/resp_1/cancel', undefined).map(remembered.find).find(Boolean)
 */
export function idsIn(path: string, body: unknown): readonly string[] {
  const [resourcePath = ''] = path.replace(/^\/?(?:v1\/)?/, '').split('?')
  const inPath = resourcePath.split('/').slice(1)
  return [
    ...inPath.filter((segment) => PATH_ID.test(segment)),
    ...(isJsonObject(body) ? REFERENCES.flatMap((steps) => textsAt(body, steps)) : []),
  ]
}

/** The strings where `steps` lead from a value. */
function textsAt(value: unknown, [step, ...rest]: readonly string[]): string[] {
  if (step === undefined) return typeof value === 'string' && value.length <= ID_CHARS_MAX ? [value] : []
  if (step === '*') return Array.isArray(value) ? value.flatMap((element) => textsAt(element, rest)) : []
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? textsAt((value as Readonly<Record<string, unknown>>)[step], rest)
    : []
}
