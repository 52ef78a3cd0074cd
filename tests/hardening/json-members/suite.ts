import { MemberScan } from '../../../src/formats/json/member-scan.ts'
import { breathe } from '../../../src/timing/slices.ts'
import { createRandom, type Random } from '../random.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { decide, differenceInDecision, SETTINGS_COUNT } from './judge-decisions.ts'
import { differenceOf, type ReadMembers } from './judge-scan.ts'
import { randomObject } from './random-object.ts'
import { randomRequest } from './random-request.ts'

const COUNT = 1_000_000
const COUNT_SHORT = 20_000
const REPORT_EVERY = 50_000
const REQUESTS = 100_000
const REQUESTS_SHORT = 1500
const WINDOWS = [1, 2, 3, 5, 8, 13, 40, 64, 100, 1000, 32 * 1024]
/** The characters that are put in the place of others. */
const STRAY = ['"', '\\', '{', '}', '[', ']', ',', ':', ' ', '1', 'e', '-', 'null', '\u0001', '\u00a0', '/', '\ufeff']

const scanAll: ReadMembers = (bytes, windowBytes) => {
  const scan = new MemberScan(bytes, windowBytes)
  while (!scan.goOn(() => true));
  return scan.value
}

/** Judges the text of one case, the text with one character changed, and the text without its end. */
function judge(id: string, seed: number, read: ReadMembers): string | undefined {
  const random = createRandom(seed, id)
  const text = randomObject(random)
  const windowBytes = random.pick(WINDOWS)
  const whole = differenceOf(text, read, windowBytes) ?? differenceOf(changed(text, random), read, windowBytes)
  return whole ?? judgeBroken(text, random, read, windowBytes)
}

function changed(text: string, random: Random): string {
  const at = random.below(text.length + 1)
  return text.slice(0, at) + random.pick(STRAY) + text.slice(at + random.below(3))
}

/** An object that has not ended is refused, and so is a text behind it. */
function judgeBroken(text: string, random: Random, read: ReadMembers, windowBytes: number): string | undefined {
  const object = text.trimEnd()
  for (const broken of [
    object.slice(0, random.below(object.length)),
    `${object} ${random.pick(['}', ',', 'x', '"'])}`,
  ]) {
    try {
      read(new TextEncoder().encode(broken), windowBytes)
      return `took ${JSON.stringify(broken.slice(0, 300))}`
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) return `threw ${String(thrown)}`
    }
  }
  return undefined
}

/** Compares what is decided about a request of which the members are read with what is where all of it is. */
function judgeRequest(id: string, seed: number, decideOn = decide): Promise<string | undefined> {
  const random = createRandom(seed, id)
  const settings = random.below(SETTINGS_COUNT)
  return differenceInDecision(randomRequest(random), settings, decideOn)
}

async function runRequests(seed: number, ids: readonly string[]): Promise<readonly HardeningFailure[]> {
  const failures: HardeningFailure[] = []
  for (const id of ids) {
    const message = await judgeRequest(id, seed)
    if (message !== undefined) failures.push({ id, message })
  }
  return failures
}

async function run({ seed, isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const requestCount = isShort ? REQUESTS_SHORT : REQUESTS
  const requests = only === undefined ? Array.from({ length: requestCount }, (_, at) => `request-${at}`) : [only]
  const decided = only?.startsWith('request-') === false ? [] : await runRequests(seed, requests)
  const figure = { 'decided otherwise': decided.length }
  if (only?.startsWith('request-') === true) return { cases: 1, failures: decided, figures: figure }
  report(`${requests.length.toLocaleString('en')} requests`)
  const texts = await runTexts({ seed, isShort, only, report })
  return {
    cases: texts.cases + (only === undefined ? requests.length : 0),
    failures: [...decided, ...texts.failures],
    figures: { ...texts.figures, ...figure },
  }
}

async function runTexts({ seed, isShort, only, report }: Omit<HardeningRun, 'binary'>): Promise<HardeningResult> {
  const count = isShort ? COUNT_SHORT : COUNT
  const failures: HardeningFailure[] = []
  const ids = only === undefined ? undefined : [only]
  for (let at = 0; at < (ids?.length ?? count); at += 1) {
    const id = ids?.[at] ?? `text-${at}`
    const message = judge(id, seed, scanAll)
    if (message !== undefined) failures.push({ id, message })
    if (at % REPORT_EVERY !== REPORT_EVERY - 1) continue
    report(`${(at + 1).toLocaleString('en')} of ${count.toLocaleString('en')}`)
    await breathe()
  }
  return { cases: ids?.length ?? count, failures, figures: { 'read otherwise': failures.length } }
}

/** One stand-in reads no escapes, the other decides on what stands before the messages. */
async function prove(): Promise<void> {
  await proveDecisions()
  const wrong: ReadMembers = (bytes, windowBytes) =>
    scanAll(new TextEncoder().encode(new TextDecoder().decode(bytes).replaceAll('\\', '')), windowBytes)
  for (let at = 0; at < 200; at += 1) if (judge(`text-${at}`, 0, wrong) !== undefined) return
  throw new Error('The stand-in reads no escapes, and nothing was found.')
}

async function proveDecisions(): Promise<void> {
  const wrong: typeof decide = ({ path, text }, settings, isWhole) =>
    decide({ path, text: text.replace(/"messages":.*/s, '"messages":[]}') }, settings, isWhole)
  for (let at = 0; at < 50; at += 1) if ((await judgeRequest(`request-${at}`, 0, wrong)) !== undefined) return
  throw new Error('The stand-in reads only what stands before the messages, and nothing was found.')
}

/** Promise 15: what a body is decided by is read as `JSON.parse` reads it. */
export const suite: HardeningSuite = {
  number: 15,
  name: 'json-members',
  promise: 'The members of a JSON object are read as JSON.parse reads them, and one that does not end is refused',
  prove,
  run,
}
