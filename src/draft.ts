import type { Form } from './body/read-form.ts'
import { applyEdits, type Edit } from './json/edit.ts'
import { foldName } from './json/fold-name.ts'
import type { JsonBody } from './json/json-body.ts'
import { ApiError } from './openai/api-error.ts'
import type { UpstreamBody } from './upstream/send.ts'

/** A request's body on its way: what is known of it, and what goes to an upstream that has a name of its own for the model. */
export interface Draft {
  /** As the caller wrote it, or the default that was put in. */
  readonly model: string | undefined
  /** The parsed body, where it is JSON that was read. */
  readonly value: unknown
  /** Whether it can be sent more than once. */
  readonly isReplayable: boolean
  /** The body for an upstream; `model`: its own name for the model, undefined: the caller's. */
  bodyFor(model: string | undefined): UpstreamBody
  /** Whether that is no longer the received body, so that its length and coding are other ones. */
  isChangedFor(model: string | undefined): boolean
}

/** The draft of a body that goes on as it came. */
export function draftAsIs(body: UpstreamBody): Draft {
  return {
    model: undefined,
    value: undefined,
    isReplayable: !(body instanceof ReadableStream),
    bodyFor: () => body,
    isChangedFor: () => false,
  }
}

/** The draft of a JSON body, with what the rules change in it; a class, because there is one for nearly every request. */
export class JsonDraft implements Draft {
  readonly model: string | undefined
  readonly value: unknown
  readonly isReplayable = true
  readonly #json: JsonBody
  readonly #edits: readonly Edit[]
  readonly #isChanged: boolean
  #last: { readonly model: string | undefined; readonly body: Uint8Array<ArrayBuffer> } | undefined

  /** `isChanged`: its bytes are no longer the received ones. */
  constructor(json: JsonBody, model: string | undefined, edits: readonly Edit[], isChanged: boolean) {
    this.model = model
    this.value = json.value
    this.#json = json
    this.#edits = edits
    this.#isChanged = isChanged
  }

  isChangedFor(wanted: string | undefined): boolean {
    return this.#isChanged || this.#edits.length > 0 || this.#isRenamed(wanted)
  }

  bodyFor(wanted: string | undefined): Uint8Array<ArrayBuffer> {
    const { bytes, encoded } = this.#json
    if (!this.isChangedFor(wanted)) return encoded ?? bytes
    if (this.#edits.length === 0 && !this.#isRenamed(wanted)) return bytes
    // Several attempts at one target get the same bytes.
    if (this.#last === undefined || this.#last.model !== wanted) {
      this.#last = { model: wanted, body: applyEdits(bytes, this.#editsFor(wanted)) }
    }
    return this.#last.body
  }

  #isRenamed(wanted: string | undefined): wanted is string {
    return wanted !== undefined && wanted !== this.model
  }

  #editsFor(wanted: string | undefined): readonly Edit[] {
    return this.#isRenamed(wanted) ? [...this.#edits, ...modelEdits(this.#json, wanted)] : this.#edits
  }
}

/** The draft of a multipart form. */
export function draftOfForm(bytes: Uint8Array<ArrayBuffer>, form: Form): Draft {
  const model = form.fields.get('model')?.at(-1)
  const isRenamed = (wanted: string | undefined): wanted is string => wanted !== undefined && wanted !== model
  return {
    model,
    value: undefined,
    isReplayable: true,
    bodyFor: (wanted) => (isRenamed(wanted) ? form.replace('model', wanted) : bytes),
    isChangedFor: isRenamed,
  }
}

/**
 * Asserts that a JSON body names its model once at most, and in small letters: a parser that takes the first of two, or
 * another spelling, would see another one than we do. Throws `rules_not_applicable`.
 */
export function assertOneModel({ members }: JsonBody): void {
  const names = members.filter(({ key }) => foldName(key) === 'model')
  if (names.length > 1) throw modelSentTwice()
  const [name] = names
  if (name === undefined || name.key === 'model') return
  const message = `Send the model as 'model', not as '${name.key}'.`
  throw new ApiError('rules_not_applicable', { message, param: name.key })
}

/** The refusal of a request that names its model twice. */
export function modelSentTwice(): ApiError {
  return new ApiError('rules_not_applicable', {
    message: "Duplicate parameter: 'model'. Send it once.",
    param: 'model',
  })
}

function modelEdits({ members }: JsonBody, model: string): Edit[] {
  return members
    .filter(({ key }) => key === 'model')
    .map(({ valueStart, valueEnd }) => ({ start: valueStart, end: valueEnd, text: JSON.stringify(model) }))
}
