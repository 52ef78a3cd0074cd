import type { Principal } from './auth/authorize.ts'
import { readBytes } from './body/read-bytes.ts'
import { readForm } from './body/read-form.ts'
import { assertSameModel, type Draft, draftAsIs, draftOfForm, modelSentTwice } from './draft.ts'
import type { Exchange } from './exchange.ts'
import { judgeInner } from './judge-inner.ts'
import type { Live } from './live.ts'
import { assertModelField, assertNotInQuery } from './one-reading.ts'
import { ApiError } from './openai/api-error.ts'
import type { PassDeps } from './pass-draft.ts'
import { valueOfForm } from './policy/form-value.ts'
import type { RuleProgram } from './policy/rules.ts'
import { factsOf } from './request-facts.ts'

/**
 * Reads a multipart form, and judges its text fields by the rules and the models. One that can't be read in one way only passes, unless
 * it must be read.
 *
 * Rejects with `rules_not_applicable`, `request_too_large`, or whatever the rules throw.
 *
 * @example
 * return readFormDraft(exchange, principal, live, type, deps, mustBeRead)
 */
export async function readFormDraft(
  exchange: Exchange,
  principal: Principal,
  live: Live,
  type: string,
  deps: PassDeps,
  mustBeRead: boolean,
): Promise<Draft> {
  const isEncoded = exchange.request.headers.has('content-encoding')
  const bytes = await readBytes(exchange, deps.reading)
  const form = isEncoded ? undefined : readForm(bytes, type)
  if (form === undefined && mustBeRead) throw notReadable(type)
  if (form === undefined) return draftAsIs(bytes, exchange.named?.model)
  const { named } = exchange
  if (named?.plainTarget === undefined) assertSameModel(form.fields.get('model')?.at(-1), named)
  if (live.needsModel) assertModelField(form)
  if (live.needsModel && (form.fields.get('model')?.length ?? 0) > 1) throw modelSentTwice()
  const model = named?.model ?? form.fields.get('model')?.at(-1)
  if (model !== undefined) live.assertSpelling?.(model)
  exchange.model = model
  exchange.stream = form.fields.get('stream')?.at(-1) === 'true'
  const program = live.rules.match(factsOf(exchange, principal, model))
  assertNotInQuery(exchange.target, program)
  exchange.rules = program?.rules
  program?.checkForm(form.fields)
  const value = valueOfForm(form)
  program?.judgeInner?.(value)
  const checkOwn = (other: RuleProgram): void => other.checkForm(form.fields)
  const inner = judgeInner({ exchange, principal, live, value, program, checkOwn })
  return draftOfForm(bytes, form, named?.model, inner)
}

/** The refusal of a body that must be read and can't be. */
export function notReadable(type: string): ApiError {
  const shown = type.split(';', 1)[0]?.slice(0, 100)
  return new ApiError('rules_not_applicable', {
    message: `This server has rules for the model or the parameters of this request, and they cannot be applied to a body of the type '${shown}'.`,
  })
}
