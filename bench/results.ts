import type { Idle } from './idle-memory.ts'

/** The figures of one load in one round. */
export interface Sample {
  /** CPU of the gateway's process tree for each request (ms) or each stream chunk (µs). */
  readonly cpu: number
  /** Requests or stream chunks in a second. */
  readonly perSecond: number
  /** Latency of a request, or time to the first event of a stream. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Requests or streams that were tried, and those that failed or were not complete. */
  readonly tried: number
  readonly failed: number
  /** For streams: how many were open at once. */
  readonly openMax?: number
}

/** Starts and memory of one gateway. */
export interface Footprint {
  readonly coldStartMs: readonly number[]
  readonly idleBytes: number
  loadedBytes: number
  /** By how much the RSS grows with a thousand idle connections or streams; absent: not measured. */
  readonly idleAddedBytes: Readonly<Partial<Record<Idle, number>>>
  readonly binaryBytes?: number
}

/** One gateway that was measured. */
export interface MeasuredGateway {
  readonly name: string
  readonly kind: string
  readonly version: string
  readonly settings: string
  readonly footprint: Footprint
}

/** All samples of one scenario: one list for each target, in the order of the rounds. */
export interface ScenarioResult {
  readonly name: string
  readonly title: string
  readonly unit: 'request' | 'chunk'
  readonly comparedWith?: string
  readonly samples: Record<string, Sample[]>
}

/** Everything that a run found. */
export interface Results {
  readonly date: string
  readonly machine: string
  readonly rounds: number
  readonly seconds: number
  readonly isQuick: boolean
  readonly gateways: MeasuredGateway[]
  /** One line for each thing that was not measured. */
  readonly skipped: string[]
  readonly scenarios: ScenarioResult[]
}

/** The name under which the mock upstream itself, with no gateway in between, stands in the results. */
export const DIRECT = 'direct'
