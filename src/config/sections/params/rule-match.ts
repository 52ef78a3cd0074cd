import { tokenFault } from '../../file/header-names.ts'
import type { Path } from '../../file/path.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import { sentence } from '../../file/wording.ts'
import type { ModelsFields } from '../models.ts'
import type { MatchPart, ParamRule } from './param-rule.ts'
import { type Offered, type Unfit, unfitEndpoint, unfitHeader, unfitModel, unfitPrincipal } from './unfit-match.ts'

/** The models of a file, where it refuses all others; undefined: any may be asked for. */
export function offeredBy(fields: ModelsFields): Offered | undefined {
  if (fields.unknown_models !== 'refuse') return undefined
  const models = Object.entries(fields.models ?? {})
  // Where there are none, or what is wrong with them has been reported, every rule would be one more problem.
  if (models.length === 0) return undefined
  const aliases = models.flatMap(([name, { targets }]) =>
    targets.flatMap(({ model }) => (model === undefined ? [] : [[model, name] as const])),
  )
  return { names: models.map(([name]) => name), aliases: new Map(aliases) }
}

/** What decides which requests a rule is for. Reports what can never fit: a guard that stands nowhere. */
export function matchFromFile(
  reader: SectionReader,
  path: Path,
  match: MatchPart,
  offered: Offered | undefined,
): ParamRule['match'] {
  const report = (at: Path, pattern: string, unfit: Unfit | undefined): void => {
    if (unfit === undefined) return
    const fault = { wrong: sentence(reader.show(at, pattern), unfit.wrong), cure: unfit.cure }
    if (unfit.isCertain) reader.add(at, fault)
    else reader.warn(at, fault)
  }
  const each = (key: 'model' | 'endpoint' | 'principal', unfitOf: (pattern: string) => Unfit | undefined): void => {
    const written = match[key]
    for (const [index, pattern] of toList(written)?.entries() ?? []) {
      const at = Array.isArray(written) ? reader.pathOfEntry(written, index) : [...path, key]
      report(at, pattern, unfitOf(pattern))
    }
  }
  each('endpoint', unfitEndpoint)
  each('principal', (pattern) => unfitPrincipal(pattern, reader.callers))
  if (offered !== undefined) each('model', (pattern) => unfitModel(pattern, offered))
  for (const [name, pattern] of Object.entries(match.header ?? {})) {
    report([...path, 'header', name], pattern, unfitHeader(pattern))
  }
  return {
    model: toList(match.model),
    endpoint: toList(match.endpoint),
    principal: toList(match.principal),
    header: match.header === undefined ? undefined : headersOf(reader, [...path, 'header'], match.header),
  }
}

function headersOf(
  reader: SectionReader,
  path: Path,
  header: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const headers = new Map<string, string>()
  for (const [written, pattern] of Object.entries(header)) {
    const name = written.toLowerCase()
    const fault = tokenFault(name)
    if (fault !== undefined) reader.add([...path, written], fault, 'key')
    if (headers.has(name)) {
      reader.add([...path, written], { wrong: 'is there a second time', cure: 'Take one of the two out.' }, 'key')
    }
    headers.set(name, pattern)
  }
  return Object.fromEntries(headers)
}

function toList(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}
