import type { SectionReader } from '../../file/section-reader.ts'
import { sentence } from '../../file/wording.ts'
import { tokenFault } from '../../text-kinds.ts'
import type { ModelsFields } from '../models.ts'
import type { MatchPart, ParamRule } from './param-rule.ts'
import { type Offered, type Unfit, unfitEndpoint, unfitHeader, unfitModel, unfitPrincipal } from './unfit-match.ts'

/** The models of a file, where it refuses all others; undefined: any may be asked for. */
export function offeredBy(fields: ModelsFields): Offered | undefined {
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
export function matchFromFile(
  reader: SectionReader,
  match: MatchPart,
  offered: Offered | undefined,
): ParamRule['match'] {
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
