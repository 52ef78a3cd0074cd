import { isJsonObject } from '../formats/json/json.ts'
import type { BodyText } from './body-text.ts'
import { meantBy, type NameTree } from './name-tree.ts'
import { sentTwice, spelledOtherwise } from './refusals.ts'

/** What LiteLLM lays over the body that goes to the provider (https://docs.litellm.ai/docs/completion/provider_specific_params). */
const EXTRA = 'extra_body'

/**
 * Asserts that no parameter which rules deny, drop, list or set stands in `extra_body`, from where some servers take it as one of the
 * body's own. Throws `rules_not_applicable`.
 */
export function assertNotInExtra(text: BodyText, names: NameTree): void {
  const extra = text.value[EXTRA]
  if (extra === undefined || names.children.size === 0) return
  if (text.membersAt(text.brace).filter(({ key }) => key === EXTRA).length > 1) throw sentTwice([EXTRA])
  if (!isJsonObject(extra)) return
  for (const name of Object.keys(extra)) {
    const meant = names.children.has(name) ? name : meantBy(name, names)
    if (meant !== undefined) throw spelledOtherwise([EXTRA, name], meant)
  }
}
