import type { Exchange } from '../exchange/exchange.ts'
import type { Edit } from '../formats/json/edit.ts'
import { foldName } from '../formats/json/fold-name.ts'
import { ApiError } from '../openai/api-error.ts'
import { isBatchPurpose } from '../openai/inner-calls.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { valueOfForm } from '../params/form-fields.ts'
import type { RuleProgram } from '../params/rules.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { judgeBatch } from './judge-batch.ts'
import { judgeInner, mayBringCalls } from './judge-inner.ts'
import { assertOneModelField, assertSameModel } from './one-model.ts'
import { assertFormInUtf8, assertNotInQuery } from './one-reading.ts'
import { bodyAsIs, editBody, type ModelName, NO_INNER_MODELS, type OutgoingBody } from './outgoing-body.ts'
import type { PassDeps } from './pass-body.ts'
import { readBytes } from './read-bytes.ts'
import { type Form, readForm } from './read-form.ts'
import { factsOf } from './request-facts.ts'

/**
 * Reads a multipart form, and judges its text fields by the rules and the models. A form that can be read in more than one way passes as
 * it came, unless it must be read.
 *
 * Rejects with `rules_not_applicable`, `request_too_large`, or whatever the rules throw.
 *
 * @example
 * return prepareForm(exchange, snapshot, type, deps, mustBeRead)
 */
export async function prepareForm(
  exchange: Exchange,
  snapshot: Snapshot,
  type: string,
  deps: PassDeps,
  mustBeRead: boolean,
): Promise<OutgoingBody> {
  const isEncoded = exchange.request.headers.has('content-encoding')
  const bytes = await readBytes(exchange, deps.reading)
  const form = isEncoded ? undefined : readForm(bytes, type)
  if (form === undefined && (mustBeRead || mayBeBatch(bytes, isEncoded, exchange, snapshot))) throw notReadable(type)
  if (form === undefined) return bodyAsIs(bytes, exchange.named?.model)
  const { named } = exchange
  if (named?.plainTarget === undefined) assertSameModel(form.fields.get('model')?.at(-1), named)
  if (snapshot.needsModel) assertOneModelField(form)
  const model = named?.model ?? form.fields.get('model')?.at(-1)
  if (model !== undefined) snapshot.assertSpelling?.(model)
  exchange.model = model
  exchange.stream = form.fields.get('stream')?.at(-1) === 'true'
  const program = snapshot.rules.match(factsOf(exchange, model))
  if (program !== undefined || snapshot.needsModel) assertFormInUtf8(type)
  assertNotInQuery(exchange.requestTarget, program)
  exchange.rules = program?.rules
  program?.checkForm(form.fields)
  const value = valueOfForm(form)
  program?.judgeInner?.(value)
  const checkOwn = (other: RuleProgram): void => other.checkForm(form.fields)
  const inner = judgeInner({ exchange, snapshot, value, program, checkOwn })
  if (form.files.length > 0 && mayBringCalls(exchange, snapshot))
    return draftOfBatch({ bytes, form, inner }, exchange, snapshot)
  return formBody(bytes, form, named?.model, inner)
}

/** An unreadable form is searched for a batch's purpose up to this length. */
const UNREAD_BYTES_MAX = 1024 * 1024

/** Whether an unreadable form may bring a batch's file to a server that can read it. */
function mayBeBatch(bytes: Uint8Array, isEncoded: boolean, exchange: Exchange, snapshot: Snapshot): boolean {
  if (!mayBringCalls(exchange, snapshot)) return false
  return isEncoded || bytes.byteLength > UNREAD_BYTES_MAX || isBatchPurpose(new TextDecoder('latin1').decode(bytes))
}

/** A form as it was read, and the models that its fields name. */
interface ReadForm {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly form: Form
  readonly inner: readonly InnerModel[]
}

/** Makes the outgoing body of a form whose files may hold the calls of a batch. The rules are applied to these calls. */
async function draftOfBatch(
  { bytes, form, inner }: ReadForm,
  exchange: Exchange,
  snapshot: Snapshot,
): Promise<OutgoingBody> {
  const isBatch = [...form.fields].some(([name, texts]) => foldName(name) === 'purpose' && texts.some(isBatchPurpose))
  let edits: readonly Edit[] = []
  let models = inner
  for (const { start, end } of form.files) {
    const judged = await judgeBatch({ bytes, start, end, isBatch }, exchange, snapshot)
    edits = edits.concat(judged.edits)
    models = models.concat(judged.inner)
    exchange.params ||= judged.receipt
  }
  if (edits.length === 0) return formBody(bytes, form, undefined, models)
  return { ...bodyAsIs(await editBody(bytes, edits)), received: bytes, inner: models, isChangedFor: () => true }
}

/** Makes the refusal of a body that must be read, and has a type that the server can't read. */
export function notReadable(type: string): ApiError {
  const shown = type.split(';', 1)[0]?.slice(0, 100)
  return new ApiError('rules_not_applicable', {
    message: `This server has rules for the model or the parameters of this request, and they cannot be applied to a body of the type '${shown}'.`,
  })
}

/**
 * Makes the outgoing body of a multipart form. `named` is the model that the request's target names, which goes before the form's own.
 * `inner` are the other models that the form names.
 */
function formBody(
  bytes: Uint8Array<ArrayBuffer>,
  form: Form,
  named?: string,
  inner: readonly InnerModel[] = NO_INNER_MODELS,
): OutgoingBody {
  const written = form.fields.get('model')?.at(-1)
  const model = named ?? written
  const isRenamed = (wanted: ModelName): wanted is string =>
    typeof wanted === 'string' && written !== undefined && wanted !== written
  return {
    model,
    value: undefined,
    fields: form.fields,
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
