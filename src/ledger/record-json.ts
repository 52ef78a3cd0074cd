import { isJsonObject } from '../formats/json/json.ts'
import type { LedgerRecord, Limits, SpendLimits } from './records.ts'

/** A record or limits as JSON has them: money as text, for numbers of JSON have 53 bits. */
interface Stored {
  readonly threshold?: string
  readonly limits?: StoredLimits
}

interface StoredLimits {
  readonly spend: Readonly<Record<string, string>>
}

/** Writes a record as JSON for a store. Nano-dollars become text. */
export function stringifyRecord(record: LedgerRecord): string {
  return stringify(record)
}

/**
 * Whether two records say the same, whatever the order of their members: one that is made of another has them in an order of its own.
 *
 * @example
 * if (!areSameRecords(now, was)) throw new RecordsChangedError()
 */
export function areSameRecords(one: LedgerRecord, other: LedgerRecord): boolean {
  return sorted(one) === sorted(other)
}

/** Writes limits as JSON for a store; undefined: there are none. */
export function stringifyLimits(limits: Limits): string | undefined {
  const { spend, rates, ...rest } = limits
  const isLimit =
    Object.keys(spend).length > 0 || rates.length > 0 || Object.values(rest).some((one) => one !== undefined)
  return isLimit ? stringify(limits) : undefined
}

/** Reads a record that `stringifyRecord` has written. */
export function parseRecord(json: string): LedgerRecord {
  const { threshold, limits, ...rest } = JSON.parse(json) as Stored
  return {
    ...rest,
    ...(threshold !== undefined && { threshold: BigInt(threshold) }),
    ...(limits !== undefined && { limits: limitsOf(limits) }),
  } as LedgerRecord
}

/** Reads limits that `stringifyLimits` has written. */
export function parseLimits(json: string): Limits {
  return limitsOf(JSON.parse(json) as StoredLimits)
}

function stringify(value: object): string {
  return JSON.stringify(value, (_name, one: unknown) => (typeof one === 'bigint' ? one.toString() : one))
}

function sorted(value: object): string {
  return JSON.stringify(value, (_name, one: unknown) => {
    if (typeof one === 'bigint') return one.toString()
    return isJsonObject(one) ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1))) : one
  })
}

function limitsOf({ spend, ...rest }: StoredLimits): Limits {
  const read: SpendLimits = Object.fromEntries(Object.entries(spend).map(([name, text]) => [name, BigInt(text)]))
  return { rates: [], ...rest, spend: read }
}
