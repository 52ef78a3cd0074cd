import { applyEdits, type Edit } from '../formats/json/edit.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { withoutModel } from '../params/default-model.ts'
import type { Applied } from '../params/rules.ts'
import { editBody, type ModelName, type ModelReader, NO_INNER_MODELS, type OutgoingBody } from './outgoing-body.ts'

const UTF_8 = new TextEncoder()

/** The changes to a JSON body before the rules, and the findings within it. */
export interface JsonChanges {
  /** The received body, where a model that the caller has not named was put in. Only OpenAI gets that model. */
  readonly received?: JsonBody | undefined
  /** Whether the bytes of the body differ from the received ones. */
  readonly isChanged: boolean
  /** What the rules have made of the body; undefined: none has a say in it. */
  readonly applied?: Pick<Applied, 'value'> | undefined
  /** The other models that the body names. */
  readonly inner?: readonly InnerModel[] | undefined
}

/** The outgoing body of a JSON body, with the edits of the rules. It is a class because nearly every request has one. */
export class JsonOutgoingBody implements OutgoingBody {
  readonly model: string | undefined
  readonly inner: readonly InnerModel[]
  readonly isReplayable = true
  readonly #json: JsonBody
  readonly #edits: readonly Edit[]
  readonly #received: JsonBody | undefined
  readonly #isChanged: boolean
  #applied: JsonChanges['applied']
  #last: Changed | undefined

  constructor(
    json: JsonBody,
    model: string | undefined,
    edits: readonly Edit[],
    { received, isChanged, applied, inner = NO_INNER_MODELS }: JsonChanges,
  ) {
    this.model = model
    this.inner = inner
    this.#json = json
    this.#edits = edits
    this.#received = received
    this.#isChanged = isChanged
    this.#applied = applied
  }

  get received(): Uint8Array<ArrayBuffer> {
    return (this.#received ?? this.#json).bytes
  }

  get value(): unknown {
    return this.#json.unread === undefined ? this.#json.value : undefined
  }

  get partlyRead(): JsonBody | undefined {
    return this.#json.unread === undefined ? undefined : this.#json
  }

  get addedBytes(): number {
    return this.#edits.reduce(
      (sum, { start, end, text }) => sum + Math.max(0, UTF_8.encode(text).length - (end - start)),
      0,
    )
  }

  get ruled(): unknown {
    return this.#applied?.value
  }

  letGo(): void {
    this.#applied = undefined
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

/** The body for a target that has to read such a model; a promise until it is made. */
interface Changed {
  readonly model: ModelName
  body: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>
}

function modelEdits({ members }: JsonBody, model: string): Edit[] {
  return members
    .filter(({ key }) => key === 'model')
    .map(({ valueStart, valueEnd }) => ({ start: valueStart, end: valueEnd, text: JSON.stringify(model) }))
}
