import type { ModelsAnswer } from './ask-models.ts'
import type { Words } from './words.ts'

/** A result of the check. */
export interface CheckFinding {
  /** `unsure`: the upstream answers, but the answer says too little. */
  readonly verdict: 'good' | 'unsure' | 'bad'
  readonly text: string
}

/**
 * Judges an upstream's answer to the question for its models. Good are a 2xx with a list of models, and a refusal where no key is set,
 * since callers bring theirs.
 *
 * @example
 * const { verdict, text } = judge(answer, { url, hasKey: true }, words)
 */
export function judge(
  answer: ModelsAnswer,
  { url, hasKey }: { readonly url: string; readonly hasKey: boolean },
  words: Words,
): CheckFinding {
  const { status, isPage, models, message, hasChats, ms } = answer
  const what = `${url} answered ${status} in ${ms} ms`
  const said = `${words.upstream} ${what}`
  const bad = (why: string): CheckFinding => ({ verdict: 'bad', text: `${said}: ${why}` })
  const unsure = (why: string): CheckFinding => ({ verdict: 'unsure', text: `${said}: ${why}` })
  const says = message === undefined ? '' : ` (${message})`
  if (isPage || (status >= 300 && status < 400)) {
    const found = isPage ? 'a web page' : 'a redirect'
    const text = `${what}, but with ${found}: ${words.base} is not an API's base URL. It usually ends with /v1.`
    return { verdict: 'bad', text }
  }
  if (status >= 200 && status < 300) {
    if (models !== undefined) return { verdict: 'good', text: said }
    return unsure('it answers, but has no list of models in it. Whether it works, only a call can tell.')
  }
  if (hasChats) return unsure('it has no list of models, but chats are there. Whether they work, only a call can tell.')
  if (status === 401 || status === 403) {
    if (hasKey) return bad(`it refuses ${words.key}. Check the key, ${words.account}.`)
    return {
      verdict: 'good',
      text: `${said}: it is there, and wants a key. Callers bring theirs, or set ${words.keyPlace}.`,
    }
  }
  if (status === 404 || status === 405 || status === 501) {
    return bad(`there is no API at this path. ${words.base} usually ends with /v1.`)
  }
  if (status === 429) return unsure(`it is there, but has too much to do to tell its models${says}.`)
  if (status >= 500) {
    const cure = hasKey ? 'Try again later.' : `Try again later; or it wants a key: set ${words.keyPlace}.`
    return bad(`it is there, but has a problem of its own${says}. ${cure}`)
  }
  const cure = hasKey
    ? `Check ${words.key}, and ${words.base}.`
    : `Set ${words.keyPlace} where it wants a key, and check ${words.base}.`
  return bad(`it refuses to tell its models${says}. ${cure}`)
}
