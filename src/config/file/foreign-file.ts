import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import type { Fault } from '../scalar-kinds.ts'

/** A kind of file of another program, and how it is recognized. */
interface ForeignKind {
  /** Its description, which follows "is". */
  readonly title: string
  readonly isIt: (file: JsonObject) => boolean
  /** How to mend it; where absent: write a file of our own. */
  readonly cure?: (path: string) => string
}

const KINDS: readonly ForeignKind[] = [
  {
    title: "a LiteLLM proxy's file, not one of NexCode's",
    isIt: (file) => hasAny(file, ['model_list', 'litellm_settings', 'general_settings', 'router_settings']),
    cure: (path) => `Translate it: nexcode import litellm ${path} > nexcode.yaml`,
  },
  {
    title: "a Portkey configuration, not one of NexCode's",
    isIt: (file) => hasAny(file, ['virtual_key', 'virtualKey', 'override_params']) || isPortkeyStrategy(file),
  },
  {
    title: "a Bifrost configuration, not one of NexCode's",
    isIt: (file) => isJsonObject(file['providers']) && hasAny(file, ['client', 'config_store', 'providers']),
  },
  {
    title: "a TensorZero configuration, not one of NexCode's",
    isIt: (file) => isJsonObject(file['functions']) && isJsonObject(file['models']),
  },
  {
    title: "a Kubernetes resource, not a file of NexCode's",
    isIt: (file) => typeof file['apiVersion'] === 'string' && typeof file['kind'] === 'string',
    cure: () => "Name the configuration itself: what stands below the resource's data, such as in a ConfigMap.",
  },
  {
    title: "a compose file, not one of NexCode's",
    isIt: (file) => isJsonObject(file['services']),
    cure: () => 'Name the nexcode.yaml; a compose file is for: docker compose --file FILE up',
  },
  {
    title: 'a cassette, a recorded exchange',
    isIt: (file) => file['cassette'] === 1,
    cure: () => 'It is replayed from its folder: nexcode replay --from FOLDER',
  },
  {
    title: "the body of a request, not a file of NexCode's",
    isIt: (file) => Array.isArray(file['messages']) && typeof file['model'] === 'string',
    cure: (path) => `To see what would become of it: nexcode explain ${path}`,
  },
]

const OWN_FORM = 'NexCode has a form of its own: begin with docs/configuration.md, or with one of examples/*.yaml.'

/**
 * Gives the fault of a file of another program; undefined: it is no file of a known program.
 *
 * A file that has one of our own main keys is ours, however odd the rest.
 */
export function foreignFileFault(value: unknown, path: string): Fault | undefined {
  if (path.endsWith('.toml')) return { wrong: 'is TOML, and has to be YAML or JSON', cure: OWN_FORM }
  if (!isJsonObject(value) || hasAny(value, ['upstreams', 'params'])) return undefined
  const kind = KINDS.find(({ isIt }) => isIt(value))
  return kind === undefined ? undefined : { wrong: `is ${kind.title}`, cure: kind.cure?.(path) ?? OWN_FORM }
}

function hasAny(file: JsonObject, keys: readonly string[]): boolean {
  return keys.some((key) => Object.hasOwn(file, key))
}

/** `{ strategy: { mode }, targets: […] }`, or one provider with its key. */
function isPortkeyStrategy(file: JsonObject): boolean {
  const { strategy } = file
  if (isJsonObject(strategy) && typeof strategy['mode'] === 'string') return true
  return typeof file['provider'] === 'string' && hasAny(file, ['api_key', 'apiKey', 'targets', 'retry'])
}
