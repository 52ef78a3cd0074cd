import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import { applyEdits, type Edit } from '../formats/json/edit.ts'
import { foldsTo } from '../formats/json/fold-name.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import type { NamedModel } from '../openai/read-target.ts'
import { withoutModel } from '../params/default-model.ts'
import type { UpstreamBody } from '../upstream/send.ts'
import { editBody } from './edit-body.ts'
import type { Form } from './read-form.ts'

/** A request's body on its way: what is known of it, and what goes to an upstream that has a name of its own for the model. */
export interface OutgoingBody {
  /** As the caller wrote it, or the default that was put in. */
  readonly model: string | undefined
  /** The parsed body, where it is JSON that was read, and has not been let go. */
  readonly value: unknown
  /** The body as the caller sent it, decoded where it has been read as JSON. */
  readonly received: UpstreamBody
  /** The models that it names beside its own, where that decides. */
  readonly inner: readonly InnerModel[]
  /** Whether it can be sent more than once. */
  readonly isReplayable: boolean
  /** What a target is to read as the model: its own name for it; undefined: the caller's; null: none, since the caller has named none. */
  modelFor(target: ModelReader): ModelName
  /** The body for a target that is to read such a model; a promise where a long one has to be changed first, until that is done. */
  bodyFor(model: ModelName): UpstreamBody | Promise<Uint8Array<ArrayBuffer>>
  /** The same as plain JSON text; undefined: it is none, or has not been read. */
  textFor(model: ModelName): Uint8Array<ArrayBuffer> | undefined
  /** Whether that is no longer the received body, so that its length and coding are other ones. */
  isChangedFor(model: ModelName): boolean
  /** It is sent, and nobody decides by its value any more. */
  letGo(): void
}

/** What a body is to say as the model. */
export type ModelName = string | undefined | null

/** Who reads the model: a target's own name for it, and its upstream. */
export interface ModelReader {
  readonly model: string | undefined
  readonly upstream: Pick<UpstreamSettings, 'vendor'>
}

const NONE: readonly InnerModel[] = []

/** The outgoing body of a body that goes on as it came; `model` is what the request's target names. */
export function bodyAsIs(body: UpstreamBody, model?: string): OutgoingBody {
  return {
    model,
    value: undefined,
    received: body,
    inner: NONE,
    isReplayable: !(body instanceof ReadableStream),
    modelFor: ({ model }) => model,
    bodyFor: () => body,
    textFor: () => undefined,
    isChangedFor: () => false,
    letGo() {},
  }
}

/** The outgoing body of a body that goes on as it came, and whose value is needed before. */
export function comparedBody(body: Uint8Array<ArrayBuffer>, value: unknown, model?: string): OutgoingBody {
  let kept = value
  return {
    ...bodyAsIs(body, model),
    get value() {
      return kept
    },
    letGo() {
      kept = undefined
    },
  }
}

/** What has become of a JSON body before the rules. */
export interface JsonChanges {
  /** What was received, where a model that nobody has asked for was put in: it is for OpenAI only. */
  readonly received?: JsonBody | undefined
  /** Whether its bytes are no longer the received ones. */
  readonly isChanged: boolean
  /** The models that it names beside its own. */
  readonly inner?: readonly InnerModel[] | undefined
}

/** The outgoing body of a JSON body, with what the rules change in it; a class, because there is one for nearly every request. */
export class JsonOutgoingBody implements OutgoingBody {
  readonly model: string | undefined
  readonly inner: readonly InnerModel[]
  readonly isReplayable = true
  readonly #json: JsonBody
  readonly #edits: readonly Edit[]
  readonly #received: JsonBody | undefined
  readonly #isChanged: boolean
  #last: Changed | undefined

  constructor(
    json: JsonBody,
    model: string | undefined,
    edits: readonly Edit[],
    { received, isChanged, inner = NONE }: JsonChanges,
  ) {
    this.model = model
    this.inner = inner
    this.#json = json
    this.#edits = edits
    this.#received = received
    this.#isChanged = isChanged
  }

  get received(): Uint8Array<ArrayBuffer> {
    return (this.#received ?? this.#json).bytes
  }

  get value(): unknown {
    return this.#json.value
  }

  letGo(): void {
    this.#json.letGo()
  }

  modelFor({ model, upstream }: ModelReader): ModelName {
    return this.#received !== undefined && model === undefined && upstream.vendor !== 'openai' ? null : model
  }

  isChangedFor(wanted: ModelName): boolean {
    if (wanted === null && this.#received !== undefined) return this.#edits.length > 0
    return this.#isChanged || this.#edits.length > 0 || this.#isRenamed(wanted)
  }

  bodyFor(wanted: ModelName): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const { bytes, encoded } = (wanted === null ? this.#received : undefined) ?? this.#json
    if (!this.isChangedFor(wanted)) return encoded ?? bytes
    if (this.#edits.length === 0 && !this.#isRenamed(wanted)) return bytes
    // Several attempts at one target get the same bytes.
    if (this.#last === undefined || this.#last.model !== wanted) this.#last = this.#changed(wanted)
    return this.#last.body
  }

  textFor(wanted: ModelName): Uint8Array<ArrayBuffer> {
    if (this.isChangedFor(wanted)) {
      const body = this.bodyFor(wanted)
      return body instanceof Promise ? this.#editAtOnce(wanted) : body
    }
    return ((wanted === null ? this.#received : undefined) ?? this.#json).bytes
  }

  #isRenamed(wanted: ModelName): wanted is string {
    return typeof wanted === 'string' && wanted !== this.model
  }

  #changed(wanted: ModelName): Changed {
    const { bytes } = this.#json
    const edits = this.#isRenamed(wanted) ? [...this.#edits, ...modelEdits(this.#json, wanted)] : this.#edits
    const editing = editBody(bytes, edits)
    const changed: Changed = { model: wanted, body: editing }
    if (wanted === null) changed.body = editing instanceof Promise ? editing.then(withoutModel) : withoutModel(editing)
    const { body } = changed
    if (body instanceof Promise) {
      changed.body = body.then((done) => {
        changed.body = done
        return done
      })
    }
    return changed
  }

  #editAtOnce(wanted: ModelName): Uint8Array<ArrayBuffer> {
    const { bytes } = this.#json
    if (this.#isRenamed(wanted)) return applyEdits(bytes, [...this.#edits, ...modelEdits(this.#json, wanted)])
    return applyEdits(bytes, this.#edits)
  }
}

/** A body as it goes to a target that is to read such a model; a promise until it is made. */
interface Changed {
  readonly model: ModelName
  body: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>
}

/**
 * The outgoing body of a multipart form. `named` is the model that the request's target names, and goes before the form's own; `inner` are
 * those that it names beside that.
 */
export function formBody(
  bytes: Uint8Array<ArrayBuffer>,
  form: Form,
  named?: string,
  inner: readonly InnerModel[] = NONE,
): OutgoingBody {
  const written = form.fields.get('model')?.at(-1)
  const model = named ?? written
  const isRenamed = (wanted: ModelName): wanted is string =>
    typeof wanted === 'string' && written !== undefined && wanted !== written
  return {
    model,
    value: undefined,
    received: bytes,
    inner,
    isReplayable: true,
    modelFor: ({ model: own }) => own ?? named,
    bodyFor: (wanted) => (isRenamed(wanted) ? editBody(bytes, form.replace('model', wanted)) : bytes),
    textFor: () => undefined,
    isChangedFor: isRenamed,
    letGo() {},
  }
}

/**
 * Asserts that a JSON body names its model once at most, and as `model`: a parser that takes the first of two, or another
 * spelling, would see another one than we do. Throws `rules_not_applicable`.
 */
export function assertOneModel({ members }: JsonBody): void {
  const names = members.filter(({ key }) => foldsTo(key, 'model'))
  if (names.length > 1) throw modelSentTwice()
  const [name] = names
  if (name === undefined || name.key === 'model') return
  const message = `Send the model as 'model', not as '${name.key}'.`
  throw new ApiError('rules_not_applicable', { message, param: name.key })
}

/** Asserts that a body and its request's target don't name two models. Throws `rules_not_applicable`. */
export function assertSameModel(inBody: string | undefined, named: NamedModel | undefined): void {
  if (named === undefined || inBody === undefined || inBody === named.model) return
  const message = 'The URL of your request names another model than its body. Name it once, in the body.'
  throw new ApiError('rules_not_applicable', { message, param: 'model' })
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
