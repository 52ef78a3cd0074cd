import { Type } from '@sinclair/typebox'
import { type FieldValues, optional } from '../../file/schema/fields.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import type { ModelsFields } from '../models.ts'
import { checkParamNames, checkRenames } from './param-names.ts'
import { type ParamRule, RuleEntry, type RulePart } from './param-rule.ts'
import { matchFromFile, offeredBy } from './rule-match.ts'
import { type Offered, unfitModel } from './unfit-match.ts'

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
