import { foldName } from '../formats/json/fold-name.ts'
import type { JsonObject } from '../formats/json/json.ts'
import { membersOf } from '../formats/json/members.ts'
import { ApiError } from './api-error.ts'

/** The inputs of a batch. */
export interface BatchInputs {
  /** The ids of the files whose lines are its calls. */
  readonly files: readonly string[]
  /** The endpoint of all of these calls, such as `/v1/chat/completions`; undefined: each line names its own. */
  readonly endpoint: string | undefined
}

/** The endpoints that make a batch of a file. */
const BATCHES: ReadonlySet<string> = new Set(['batches', 'batch/jobs'])
/** OpenAI's word for the file (`createBatch`), and Mistral's for several (https://docs.mistral.ai/api, batch). */
const FILES: ReadonlySet<string> = new Set(['input_file_id', 'input_files'])
/** A possible id, which leads nowhere else in a path. */
const ID = /^(?!\.+$)[\w.~:=+-]{1,4096}$/
const SHOWN_CHARS_MAX = 60

/** Whether a POST to a path below `/v1/`, as `endpointPath` gives it, makes a batch of a file. */
export function makesBatch(endpoint: string): boolean {
  return BATCHES.has(endpoint)
}

/**
 * Gives the files that a batch is to be made of. `text` is the body's text, `value` its parsed value.
 *
 * Throws `rules_not_applicable` where servers may find other files in it: a name that occurs twice or in another
 * spelling, and inputs that are not files of the upstream (Azure's `input_blob`).
 *
 * @example
 * const { files } = batchInputs(text, value) // ['file-abc']
 */
export function batchInputs(text: Uint8Array, value: JsonObject): BatchInputs {
  const seen = new Set<string>()
  for (const { key } of membersOf(text)) {
    const name = foldName(key)
    const isFiles = FILES.has(key)
    if (name === 'endpoint' ? key !== name : !isFiles && name.startsWith('input') && name !== 'input') throw unread(key)
    if (!isFiles && name !== 'endpoint') continue
    if (seen.has(key)) throw unread(key)
    seen.add(key)
  }
  const endpoint = value['endpoint']
  return {
    files: [...FILES].flatMap((name) => idsIn(name, value[name])),
    endpoint: typeof endpoint === 'string' ? endpoint : undefined,
  }
}

function idsIn(name: string, value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  const ids: readonly unknown[] = Array.isArray(value) ? value : [value]
  return ids.map((id) => {
    if (typeof id !== 'string' || !ID.test(id)) throw unread(name)
    return id
  })
}

function unread(name: string): ApiError {
  const param = name.slice(0, SHOWN_CHARS_MAX)
  return new ApiError('rules_not_applicable', {
    message: `This server has rules for the calls in a batch, and can't find these by '${param}'. Upload them as a file, and name that once, as 'input_file_id'.`,
    param,
  })
}
