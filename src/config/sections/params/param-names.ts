import { distance } from '../../../formats/text/nearest.ts'
import type { Side } from '../../file/problems.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import { sentence } from '../../file/wording.ts'
import { isCapWord } from '../../providers/cap-words.ts'
import type { Fault } from '../../scalar-kinds.ts'
import type { RulePart } from './param-rule.ts'

/** A name of a parameter, and where it stands. */
interface Named {
  readonly name: string
  readonly at: SectionReader
  readonly side: Side
  /** Whether the rule changes the parameter there: `model` must not be changed. */
  readonly isChange: boolean
}

const NO_PATH: Fault = {
  wrong: 'is no name of a parameter',
  cure: 'Write names with single dots between them, such as response_format.type.',
}

const MODEL: Fault = {
  wrong: 'is about the model, which only models decide',
  cure: 'Take it out, and write what stands behind a name in models; values may list the names there are.',
}

/** Reports names in a rule that cannot be parameters, and changes of `model`. */
export function checkParamNames(reader: SectionReader, part: RulePart): void {
  for (const named of namesOf(reader, part)) {
    const { name, at, side, isChange } = named
    if (!isParamPath(name)) at.report(NO_PATH, side)
    else if (isChange && /^model(\.|$)/.test(name)) at.report(MODEL, side)
    else warnOfMisspelt(named)
  }
}

/** Warns of a name like one of OpenAI's: no error, since some upstream may know it, but a cap of `max_token` caps nothing. */
function warnOfMisspelt({ name, at, side }: Named): void {
  const [first = '', ...inner] = name.split('.')
  const meant = isCapWord(name) ? undefined : misspeltParam(first)
  if (meant === undefined) return
  const wrong = sentence(at.show(name), "is no parameter of OpenAI's, and so fits only what has that very name")
  at.warn({ wrong, cure: `Did you mean "${meant}"${inner.length > 0 ? ' in front' : ''}?` }, side)
}

/** Whether a text is the path of a parameter: names with single dots between them. */
function isParamPath(text: string): boolean {
  return text.split('.').every((segment) => segment !== '' && !/[\s\p{Cc}]/u.test(segment))
}

function namesOf(reader: SectionReader, part: RulePart): readonly Named[] {
  const keys = (operation: keyof RulePart, isChange: boolean): Named[] =>
    Object.keys(part[operation] ?? {}).map((name) => ({ name, at: reader.at(operation, name), side: 'key', isChange }))
  const list = (operation: 'drop' | 'require' | 'deny' | 'allow', isChange: boolean): Named[] =>
    (part[operation] ?? []).map((name, index, names) => {
      return { name, at: reader.ofEntry(names, index), side: 'value', isChange }
    })
  const renamed = Object.entries(part.rename ?? {}).map(([from, name]): Named => {
    return { name, at: reader.at('rename', from), side: 'value', isChange: true }
  })
  return [
    ...keys('defaults', true),
    ...keys('overrides', true),
    ...keys('clamp', true),
    ...list('drop', true),
    ...keys('rename', true),
    ...renamed,
    ...list('require', false),
    ...list('deny', true),
    ...list('allow', false),
    ...keys('values', false),
  ]
}

/** Reports renames, over all rules, that lead to another object, to the same name, or in a circle. */
export function checkRenames(reader: SectionReader, parts: readonly RulePart[]): void {
  const next = new Map<string, Set<string>>()
  for (const part of parts) {
    for (const [from, to] of Object.entries(part.rename ?? {})) {
      const at = reader.of(part).at('rename', from)
      if (from === to) {
        at.report({ wrong: 'is its own new name', cure: 'Take it out.' })
      } else if (parentOf(from) !== parentOf(to)) {
        const cure = `Keep what stands before the last dot: a parameter keeps its place in its object.`
        at.report({ wrong: 'is a name in another object', cure })
      } else if (leads(next, to, from)) {
        const cure = 'Take one of these renames out.'
        at.report({ wrong: 'leads back, by the renames of the file, to the name that it replaces', cure })
      } else {
        next.set(from, (next.get(from) ?? new Set()).add(to))
      }
    }
  }
}

/** Whether some renames lead from one name to another. There is no circle among them. */
function leads(next: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  return from === to || [...(next.get(from) ?? [])].some((name) => leads(next, name, to))
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')))
}

/** The parameters of OpenAI's API that rules are written for: chat and text completions, responses, embeddings, images, audio. */
export const KNOWN_PARAMS: readonly string[] = `
audio background best_of chunking_strategy conversation dimensions echo encoding_format file frequency_penalty function_call functions
image include input input_fidelity instructions language logit_bias logprobs mask max_completion_tokens max_output_tokens max_tokens
max_tool_calls messages metadata modalities model moderation n output_compression output_format parallel_tool_calls partial_images
prediction presence_penalty previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention quality reasoning
reasoning_effort response_format safety_identifier seed service_tier size speed stop store stream stream_options style suffix
temperature text timestamp_granularities tool_choice tools top_logprobs top_p truncation user verbosity voice web_search_options
`
  .trim()
  .split(/\s+/)

/** A shorter name is another one as soon as one letter differs: `top_k` is no misspelt `top_p`. */
const LETTERS_MIN = 6
const LONG = 10

/**
 * The parameter of OpenAI's that a name is most likely a misspelling of; undefined: it is one of these, or one that only some
 * upstream knows.
 *
 * @example
 * misspeltParam('max_token') // 'max_tokens'
 */
function misspeltParam(name: string): string | undefined {
  const plain = lettersOf(name)
  if (plain.length < LETTERS_MIN || KNOWN_PARAMS.includes(name)) return undefined
  const errorsMax = plain.length < LONG ? 1 : 2
  return KNOWN_PARAMS.find((known) => distance(plain, lettersOf(known)) <= errorsMax)
}

function lettersOf(name: string): string {
  return name.replace(/[-_\s]/g, '').toLowerCase()
}
