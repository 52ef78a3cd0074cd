import { Type } from '@sinclair/typebox'
import { type FieldValues, optional } from '../../file/schema/fields.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import { sentence } from '../../file/wording.ts'
import { tokenFault } from '../../text-kinds.ts'
import type { ModelsFields } from '../models.ts'
import { checkParamNames, checkRenames } from './param-names.ts'
import { type MatchPart, type ParamRule, RuleEntry, type RulePart } from './param-rule.ts'
import { type Offered, type Unfit, unfitEndpoint, unfitHeader, unfitModel, unfitPrincipal } from './unfit-match.ts'

/** `params` in the file. */
export const PARAMS_FIELDS = {
  params: optional(Type.Array(RuleEntry), 'What callers may set, and to what.', {
    examples: [[{ clamp: { max_tokens: { max: 1500 } } }]],
  }),
}

const OPERATIONS = [
  'defaults',
  'overrides',
  'clamp',
  'drop',
  'rename',
  'require',
  'deny',
  'allow',
  'values',
] as const satisfies readonly (keyof RulePart)[]

/** The parameter rules by the file, in its order. Reports all their faults. */
export function paramsFromFile(
  reader: SectionReader,
  { params: parts = [], ...models }: FieldValues<typeof PARAMS_FIELDS> & ModelsFields,
): readonly ParamRule[] {
  checkRenames(reader, parts)
  const offered = offeredBy(models)
  return parts.map((part) => ruleFromFile(reader.of(part), part, offered))
}

function ruleFromFile(reader: SectionReader, part: RulePart, offered: Offered | undefined): ParamRule {
  if (!OPERATIONS.some((name) => reader.at(name).isWritten())) {
    reader.report({ wrong: 'does nothing', cure: `Give it one of ${OPERATIONS.join(', ')}; or take it out.` })
  }
  checkParamNames(reader, part)
  checkBounds(reader, part)
  checkModels(reader, part, offered)
  const { deny = [], allow } = part
  for (const [index, name] of deny.entries()) {
    if (allow?.includes(name) !== true) continue
    const cure = 'Take it out of one of the two: all that allow does not name is refused as it is.'
    reader.ofEntry(deny, index).report({ wrong: 'is in allow, too', cure })
  }
  return {
    number: Number(reader.path.at(-1)) + 1,
    match: matchFromFile(reader.at('match'), part.match ?? {}, offered),
    defaults: part.defaults ?? {},
    overrides: part.overrides ?? {},
    clamp: Object.fromEntries(
      Object.entries(part.clamp ?? {}).map(([name, { min, max }]) => [name, { min, max }] as const),
    ),
    drop: part.drop ?? [],
    rename: part.rename ?? {},
    require: part.require ?? [],
    deny,
    allow,
    values: part.values ?? {},
    onViolation: part.on_violation ?? 'refuse',
  }
}

/** Reports models that the rule admits, but that no caller may ask for. */
function checkModels(reader: SectionReader, { values }: RulePart, offered: Offered | undefined): void {
  const models = values?.['model']
  if (offered === undefined || models === undefined) return
  for (const [index, model] of models.entries()) {
    const unfit = typeof model === 'string' ? unfitModel(model.replaceAll('*', ''), offered) : undefined
    if (unfit !== undefined) reader.at('values', 'model', index).report(unfit)
  }
}

function checkBounds(reader: SectionReader, part: RulePart): void {
  for (const [name, { min, max }] of Object.entries(part.clamp ?? {})) {
    const at = reader.at('clamp', name)
    const isEmpty = !at.at('min').isWritten() && !at.at('max').isWritten()
    if (isEmpty) at.report({ wrong: 'has neither min nor max', cure: 'Give it one of the two, or both.' }, 'key')
    if (min === undefined || max === undefined || min <= max) continue
    at.report({ wrong: 'has a min above its max', cure: 'Exchange the two.' }, 'key')
  }
}

/** The models of a file, where it refuses all others; undefined: any may be asked for. */
function offeredBy(fields: ModelsFields): Offered | undefined {
  if (fields.unknown_models !== 'refuse') return undefined
  const models = Object.entries(fields.models ?? {})
  // Without models, or where their faults are reported already, every rule would be one more problem.
  if (models.length === 0) return undefined
  const aliases = models.flatMap(([name, { targets }]) =>
    targets.flatMap(({ model }) => (model === undefined ? [] : [[model, name] as const])),
  )
  return { names: models.map(([name]) => name), aliases: new Map(aliases) }
}

/** The criteria that decide which requests a rule is for. Reports those that never fit: such a rule would guard nothing. */
function matchFromFile(reader: SectionReader, match: MatchPart, offered: Offered | undefined): ParamRule['match'] {
  const report = (at: SectionReader, pattern: string, unfit: Unfit | undefined): void => {
    if (unfit === undefined) return
    const fault = { wrong: sentence(at.show(pattern), unfit.wrong), cure: unfit.cure }
    if (unfit.isCertain) at.report(fault)
    else at.warn(fault)
  }
  const each = (key: 'model' | 'endpoint' | 'principal', unfitOf: (pattern: string) => Unfit | undefined): void => {
    const written = match[key]
    for (const [index, pattern] of toList(written)?.entries() ?? []) {
      const at = Array.isArray(written) ? reader.ofEntry(written, index) : reader.at(key)
      report(at, pattern, unfitOf(pattern))
    }
  }
  each('endpoint', unfitEndpoint)
  each('principal', (pattern) => unfitPrincipal(pattern, reader.callers))
  if (offered !== undefined) each('model', (pattern) => unfitModel(pattern, offered))
  for (const [name, pattern] of Object.entries(match.header ?? {})) {
    report(reader.at('header', name), pattern, unfitHeader(pattern))
  }
  return {
    model: toList(match.model),
    endpoint: toList(match.endpoint),
    principal: toList(match.principal),
    header: match.header === undefined ? undefined : headersOf(reader.at('header'), match.header),
  }
}

function headersOf(reader: SectionReader, header: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const headers = new Map<string, string>()
  for (const [written, pattern] of Object.entries(header)) {
    const name = written.toLowerCase()
    const fault = tokenFault(name)
    if (fault !== undefined) reader.at(written).report(fault, 'key')
    if (headers.has(name)) {
      reader.at(written).report({ wrong: 'is there a second time', cure: 'Take one of the two out.' }, 'key')
    }
    headers.set(name, pattern)
  }
  return Object.fromEntries(headers)
}

function toList(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}
