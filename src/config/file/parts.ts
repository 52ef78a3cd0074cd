import type { ConfigFile } from './schema.ts'

/** One entry of `upstreams`. */
export type UpstreamPart = NonNullable<ConfigFile['upstreams']>[string]

/** One entry of `models`. */
export type ModelPart = NonNullable<ConfigFile['models']>[string]

/** One entry of `params`. */
export type RulePart = NonNullable<ConfigFile['params']>[number]
