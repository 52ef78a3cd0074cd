import { assembleWasm } from './assemble-wasm.ts'
import { type IdNames, OUTSIDE_STRINGS, type ScanWindow } from './nesting.ts'
import {
  COLONS,
  GROUPS,
  ID_NAME_ENDS,
  INPUT,
  NAME_ENDS,
  NESTING_SCAN,
  SCANNED_BLOCK_BYTES,
  SCANNED_BYTES_MAX,
} from './nesting-code.ts'

const SPACE = 0x20

/** Makes the scan of WebAssembly; undefined: this machine can't run it. */
export function scanByVectors(): ScanWindow | undefined {
  let scan: (end: number, depth: number, isInString: number, isEscaped: number, wantsIds: number) => number
  let memory: WebAssembly.Memory
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assembleWasm(NESTING_SCAN)))
    scan = exports['scan'] as typeof scan
    memory = exports['memory'] as WebAssembly.Memory
  } catch {
    return undefined
  }
  const input = new Uint8Array(memory.buffer, INPUT)
  const results = new Int32Array(memory.buffer, 0, 4)
  const colons = new Int32Array(memory.buffer, COLONS, SCANNED_BYTES_MAX)
  writeTables(new Uint8Array(memory.buffer))
  return (window, nesting, idNames) => {
    const { length } = window
    input.set(window)
    if (length % SCANNED_BLOCK_BYTES !== 0) input.fill(SPACE, length, length + SCANNED_BLOCK_BYTES)
    const { depth, isInString, isEscaped } = nesting
    results[3] = 0
    const end = scan(length, depth, isInString ? 1 : 0, isEscaped ? 1 : 0, idNames === undefined ? 0 : 1)
    if (idNames !== undefined) addColons(idNames, colons, (results[3] ?? 0) / 4)
    if (end !== -1) return end
    nesting.depth = results[0] ?? 0
    nesting.isInString = results[1] !== 0
    nesting.isEscaped = results[2] !== 0
    return -1
  }
}

function addColons({ base, colons }: IdNames, found: Int32Array, count: number): void {
  for (let index = 0; index < count; index += 1) colons.push(base + (found[index] ?? 0))
}

/** Each upper half of a byte is a group of its own, which has a bit: so the two halves of a byte tell together whether it is one of the group. */
function writeTables(memory: Uint8Array): void {
  for (const character of OUTSIDE_STRINGS) {
    const code = character.charCodeAt(0)
    const group = 1 << (code >> 4)
    memory[GROUPS + (code & 15)] = (memory[GROUPS + (code & 15)] ?? 0) | group
    memory[GROUPS + 16 + (code >> 4)] = group
  }
  memory.set(new TextEncoder().encode(ID_NAME_ENDS.join('')), NAME_ENDS)
}
