import { type Static, Type } from '@sinclair/typebox'
import type { UsageDimension, UsagePlace, UsageQuery, UsageSum } from '../ledger/ledger.ts'
import { ApiError } from '../openai/api-error.ts'
import type { AdminDeps } from './admin-route.ts'

/** How many buckets a page has: by default, and at most. */
export interface PageOfBuckets {
  readonly seconds: 60 | 3600 | 86_400
  readonly usual: number
  readonly most: number
}

/** OpenAI's widths of buckets. */
export const BUCKET_WIDTHS = {
  '1m': { seconds: 60, usual: 60, most: 1440 },
  '1h': { seconds: 3600, usual: 24, most: 168 },
  '1d': { seconds: 86_400, usual: 7, most: 31 },
} as const satisfies Record<string, PageOfBuckets>

/** The last moment that may be asked for, in seconds since 1970: the year 10000. */
const TIME_MAX = 253_402_300_799
const time = () => Type.Integer({ minimum: 0, maximum: TIME_MAX })

/** The fields of a question that say which buckets are wanted. */
export const RANGE_FIELDS = {
  start_time: time(),
  end_time: Type.Optional(time()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1440 })),
  page: Type.Optional(Type.String({ maxLength: 64 })),
}
type Range = { readonly [N in keyof typeof RANGE_FIELDS]?: Static<(typeof RANGE_FIELDS)[N]> | undefined }

/** One kind of question: which rows of the books count, and what is said of them. */
export interface BucketQuestion {
  readonly where: UsageQuery['where']
  readonly groupBy: readonly UsageDimension[]
  /** Makes the results of one bucket of its sums. */
  readonly results: (sums: readonly UsageSum[]) => readonly object[]
}

/**
 * Answers a question about usage or costs by buckets, as OpenAI does: all of them, also empty ones, from the beginning of that which
 * `start_time` lies in, by UTC. A page of very many results ends before its last bucket, or within one, which the next page goes on with.
 * Rejects with `invalid_parameter` or a `LedgerError`.
 *
 * @example
 * return bucketPage(query, BUCKET_WIDTHS['1d'], { where, groupBy, results }, deps)
 */
export async function bucketPage(
  { start_time: start = 0, end_time, limit, page }: Range,
  { seconds, usual, most }: PageOfBuckets,
  { where, groupBy, results }: BucketQuestion,
  { ledger, now }: Pick<AdminDeps, 'ledger' | 'now'>,
): Promise<object> {
  const end = end_time ?? Math.floor(now() / 1000) + 1
  if (limit !== undefined && limit > most) throw tooMany(limit, most)
  if (end_time !== undefined && end <= start) throw wrong('end_time', 'it must be later than `start_time`.')
  const begin = page === undefined ? undefined : placeOfPage(page, seconds)
  const first = begin?.bucket ?? start - (start % seconds)
  const last = Math.min(end, first + (limit ?? usual) * seconds)
  const isNone = first >= last || Object.values(where).some((values) => values.length === 0)
  const asked = { from: first, to: last, bucketSeconds: seconds, where, groupBy, begin }
  const { sums, next } = isNone ? NOTHING : await ledger.usage(asked)
  const byBucket = Map.groupBy(sums, ({ bucket }) => bucket)
  const data: object[] = []
  for (let at = first; at < last; at += seconds) {
    const own = byBucket.get(at)
    if (next !== undefined && (at > next.bucket || (at === next.bucket && own === undefined))) break
    data.push({ object: 'bucket', start_time: at, end_time: at + seconds, results: results(own ?? []) })
  }
  const rest = next ?? (last < end ? { bucket: last, project: 0, key: 0 } : undefined)
  return { object: 'page', data, has_more: rest !== undefined, next_page: rest === undefined ? null : nameOf(rest) }
}

const NOTHING = { sums: [], next: undefined } as const

/** A page's name: the bucket that it begins with and, where that has begun, the project and the key. */
function nameOf({ bucket, project, key }: UsagePlace): string {
  const place = project === 0 && key === 0 ? [bucket] : [bucket, project, key]
  return ['page', ...place.map((number) => number.toString(36))].join('_')
}

function placeOfPage(page: string, seconds: number): UsagePlace {
  const [, at, within] = /^page_([0-9a-z]{1,9})((?:_[0-9a-z]{1,7}){2})?$/.exec(page) ?? []
  const bucket = Number.parseInt(at ?? '', 36)
  const [, project = 0, key = 0] = within?.split('_').map((number) => Number.parseInt(number, 36)) ?? []
  if (bucket >= 0 && bucket <= TIME_MAX && bucket % seconds === 0) return { bucket, project, key }
  throw wrong('page', 'it is no `next_page` of an answer to the same question.')
}

function tooMany(limit: number, most: number): ApiError {
  const message = `Invalid 'limit': integer above maximum value. Expected a value <= ${most}, but got ${limit} instead.`
  return new ApiError('invalid_parameter', { message, param: 'limit', code: 'integer_above_max_value' })
}

function wrong(param: string, why: string): ApiError {
  return new ApiError('invalid_parameter', { message: `Invalid '${param}': ${why}`, param, code: 'invalid_value' })
}

/**
 * Adds sums up that are the same by some name.
 *
 * @example
 * const byModel = foldSums(sums, ({ group }) => group.model ?? '')
 */
export function foldSums(sums: readonly UsageSum[], nameOf: (sum: UsageSum) => string): readonly UsageSum[] {
  const folded = new Map<string, UsageSum>()
  for (const sum of sums) {
    const name = nameOf(sum)
    const before = folded.get(name)
    folded.set(name, before === undefined ? sum : addSums(before, sum))
  }
  return [...folded].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, sum]) => sum)
}

function addSums(one: UsageSum, other: UsageSum): UsageSum {
  const names = new Set([...Object.keys(one.usage), ...Object.keys(other.usage)])
  return {
    ...one,
    requests: one.requests + other.requests,
    cost: one.cost + other.cost,
    saved: one.saved + other.saved,
    usage: Object.fromEntries([...names].map((name) => [name, (one.usage[name] ?? 0) + (other.usage[name] ?? 0)])),
  }
}
