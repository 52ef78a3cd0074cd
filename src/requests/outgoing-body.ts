import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import { joinInSteps } from '../formats/bytes/join-bytes.ts'
import { applyEdits, type Edit, editedParts } from '../formats/json/edit.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { inSlices } from '../timing/slices.ts'
import type { UpstreamBody } from '../upstream/send.ts'

/** A request's body on its way out, as it goes to each target: a target may have its own name for the model. */
export interface OutgoingBody {
  /** The model as the caller wrote it, or the default that was put in. */
  readonly model: string | undefined
  /** The parsed body; undefined: it is no JSON, has not been read as a whole, or has been let go. */
  readonly value: unknown
  /** The same body where only some of its members have been read; absent: all has, or nothing. */
  readonly partlyRead?: JsonBody | undefined
  /** The body's members as the rules have made them, parsed like `value`, or `partlyRead`; undefined: no rule has a say in it. */
  readonly ruled?: unknown
  /** The text fields of a form that has been read, by name, in order; absent: it is none, or nothing is decided by it. */
  readonly fields?: ReadonlyMap<string, readonly string[]>
  /** The body as the caller sent it, decoded where it has been read as JSON. */
  readonly received: UpstreamBody
  /** The bytes that the rules have added to it, about; absent: none. */
  readonly addedBytes?: number
  /** The other models that the body names, where models decide. */
  readonly inner: readonly InnerModel[]
  /** Whether the body can be sent more than once. */
  readonly isReplayable: boolean
  /** The model that a target has to read: its own name; undefined: the caller's name; null: no model, since the caller has named none. */
  modelFor(target: ModelReader): ModelName
  /** The body for a target that has to read such a model; a promise until a long body is changed. */
  bodyFor(model: ModelName): UpstreamBody | Promise<Uint8Array<ArrayBuffer>>
  /** The same body as plain JSON text; undefined: it is no JSON, or has not been read. */
  textFor(model: ModelName): Uint8Array<ArrayBuffer> | undefined
  /** Whether that body differs from the received one, so that its length and coding differ, too. */
  isChangedFor(model: ModelName): boolean
  /** Frees the parsed value: the body is sent, and nobody decides by the value any more. */
  letGo(): void
}

/** The name that a body has to give for the model; undefined: the caller's; null: none. */
export type ModelName = string | undefined | null

/** A target as the reader of the model: its own name for the model, and its upstream. */
export interface ModelReader {
  readonly model: string | undefined
  readonly upstream: Pick<UpstreamSettings, 'vendor'>
}

/** The inner models of a body that names none. */
export const NO_INNER_MODELS: readonly InnerModel[] = []

/** Makes the outgoing body of a body that goes on as it came. `model` is the one that the request's target names. */
export function bodyAsIs(body: UpstreamBody, model?: string): OutgoingBody {
  return {
    model,
    value: undefined,
    received: body,
    inner: NO_INNER_MODELS,
    isReplayable: !(body instanceof ReadableStream),
    modelFor: ({ model }) => model,
    bodyFor: () => body,
    textFor: () => undefined,
    isChangedFor: () => false,
    letGo() {},
  }
}

/** Makes the outgoing body of a body that goes on as it came, and is compared before. `json` is what it means. */
export function comparedBody(body: Uint8Array<ArrayBuffer>, json: JsonBody, model?: string): OutgoingBody {
  return {
    ...bodyAsIs(body, model),
    get value() {
      return json.unread === undefined ? json.value : undefined
    },
    partlyRead: json.unread === undefined ? undefined : json,
    letGo() {
      json.letGo()
    },
  }
}

/** The parsed body, in which a long member of a long body may be `UNREAD`; undefined: it is no JSON, has not been read, or has been let go. */
export function outlineOf({ value, partlyRead }: OutgoingBody): unknown {
  return value ?? partlyRead?.outline
}

/** A longer body is copied in slices: a copy at once would keep other requests waiting. */
const AT_ONCE_BYTES_MAX = 8 * 1024 * 1024

/**
 * Applies edits to a body, and gives the new body: at once, or in slices where the old one is longer than 8 MiB.
 *
 * @example
 * const body = await editBody(bytes, edits)
 */
export function editBody(
  bytes: Uint8Array<ArrayBuffer>,
  edits: readonly Edit[],
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  if (bytes.byteLength <= AT_ONCE_BYTES_MAX || edits.length === 0) return applyEdits(bytes, edits)
  return inSlices(joinInSteps(editedParts(bytes, edits)))
}
