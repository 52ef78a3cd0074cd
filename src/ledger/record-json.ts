import type { LedgerRecord, Limits, SpendLimits } from './records.ts'

/** A record or limits as JSON has them: money as text, for numbers of JSON have 53 bits. */
interface Stored {
  readonly threshold?: string
  readonly limits?: StoredLimits
}

interface StoredLimits {
  readonly spend: Readonly<Record<string, string>>
}

/** Writes a record, or its limits, as JSON for a store. Nano-dollars become text. */
export function stringifyRecord(record: LedgerRecord | Limits): string {
  return JSON.stringify(record, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
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

/** Reads limits that `stringifyRecord` has written. */
export function parseLimits(json: string): Limits {
  return limitsOf(JSON.parse(json) as StoredLimits)
}

function limitsOf({ spend, ...rest }: StoredLimits): Limits {
  const read: SpendLimits = Object.fromEntries(Object.entries(spend).map(([name, text]) => [name, BigInt(text)]))
  return { rates: [], ...rest, spend: read }
}
