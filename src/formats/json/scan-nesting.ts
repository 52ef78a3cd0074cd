import { assembleWasm, type WasmFunction } from './assemble-wasm.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** Makes a brace of a bracket, and leaves a brace as it is. */
const BRACE_BIT = 0x20
const SPACE = 0x20

/** Where a scan of a nested value stands. */
export interface Nesting {
  /** The number of open lists and objects. */
  depth: number
  isInString: boolean
  /** Whether the last byte was a backslash that escapes the next one. */
  isEscaped: boolean
}

/** The result for a backslash outside of strings. */
export const STRAY = -2
/** The most bytes that are scanned at once. */
export const SCANNED_BYTES_MAX = 8 * 1024

type ScanWindow = (window: Uint8Array, nesting: Nesting) => number

let scanWindow: ScanWindow | undefined

/**
 * Scans a window of a nested value: of at most `SCANNED_BYTES_MAX`, and of whole blocks, unless the text ends there. Gives the place behind
 * the bracket at which the depth becomes 0; -1: the value goes on, and `nesting` is that at the end of the window; -2: a backslash stands
 * outside of strings, so that it is no JSON, and other readers may see other strings. What else stands between brackets and strings does
 * not matter.
 *
 * @example
 * const end = scanNesting(bytes.subarray(at, at + SCANNED_BYTES_MAX), nesting)
 */
export function scanNesting(window: Uint8Array, nesting: Nesting): number {
  // It is made when the first long body comes: most processes on small machines never see one.
  scanWindow ??= byVectors() ?? scanByBytes
  return scanWindow(window, nesting)
}

/** Does what `scanNesting` does where the processor has no instructions on 16 bytes at a time: five times as slow. */
export function scanByBytes(window: Uint8Array, nesting: Nesting): number {
  let { depth, isInString, isEscaped } = nesting
  for (let at = 0; at < window.length; at += 1) {
    const byte = window[at] ?? 0
    const wasEscaped = isEscaped
    isEscaped = !wasEscaped && byte === BACKSLASH
    if (byte === QUOTE) isInString = isInString === wasEscaped
    else if (isInString) continue
    else if (byte === BACKSLASH) return STRAY
    else if ((byte | BRACE_BIT) === OPEN_BRACE) depth += 1
    else if ((byte | BRACE_BIT) === CLOSE_BRACE) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  nesting.depth = depth
  nesting.isInString = isInString
  nesting.isEscaped = isEscaped
  return -1
}

/** Bytes are scanned in blocks: a number of 64 bits has one bit for each byte. */
export const SCANNED_BLOCK_BYTES = 64
/** Where a window stands in the memory, behind the results. */
const INPUT = 64

const VECTORS = ['v0', 'v1', 'v2', 'v3'] as const
const eachVector = (text: (vector: string, at: number) => string): string =>
  VECTORS.map((vector, index) => text(vector, 16 * index)).join('\n')
/** Leaves a number with a bit for each byte of the block that is this one. */
const whereIs = (byte: number): string => `
  i32.const ${byte} i8x16.splat local.set $wanted
  ${eachVector(
    (vector, at) => `
      local.get $${vector} local.get $wanted i8x16.eq i8x16.bitmask i64.extend_i32_u
      i64.const ${at} i64.shl ${at === 0 ? '' : 'i64.or'}`,
  )}`
const NOT = 'i64.const -1 i64.xor'

const BODY = `
  i64.const 0 local.get $isInString i64.extend_i32_u i64.sub local.set $inString
  local.get $isEscaped i64.extend_i32_u local.set $escaped
  block loop
    local.get $at local.get $end i32.ge_u br_if 1
    ${eachVector((vector, at) => `local.get $at v128.load ${INPUT + at} local.set $${vector}`)}
    ${whereIs(QUOTE)} local.set $quotes
    ${whereIs(BACKSLASH)} local.tee $backslashes local.set $stray

    ;; Each backslash that is not escaped itself escapes the next byte: a quote there begins and ends nothing.
    local.get $backslashes local.get $escaped i64.or i64.eqz i32.eqz if
      local.get $backslashes local.get $escaped ${NOT} i64.and local.set $backslashes
      local.get $quotes local.get $escaped ${NOT} i64.and local.set $quotes
      i64.const 0 local.set $escaped
      block loop
        local.get $backslashes i64.eqz br_if 1
        local.get $backslashes i64.ctz local.set $place
        local.get $place i64.const 63 i64.eq if i64.const 1 local.set $escaped end
        i64.const 2 local.get $place i64.shl local.tee $bits
        local.get $quotes i64.and local.get $quotes i64.xor local.set $quotes
        i64.const 3 local.get $place i64.shl ${NOT} local.get $backslashes i64.and local.set $backslashes
        br 0
      end end
    end

    ;; A byte is in a string if the number of quotes up to it is odd.
    local.get $quotes local.set $strings
    local.get $quotes i64.eqz i32.eqz if
      ${[1, 2, 4, 8, 16, 32].map((by) => `local.get $strings local.get $strings i64.const ${by} i64.shl i64.xor local.set $strings`).join('\n')}
    end
    local.get $strings local.get $inString i64.xor local.tee $strings
    i64.const 63 i64.shr_s local.set $inString

    local.get $strings i64.const -1 i64.eq i32.eqz if
      local.get $stray local.get $strings ${NOT} i64.and local.set $stray
      ${eachVector((vector) => `local.get $${vector} i32.const ${BRACE_BIT} i8x16.splat v128.or local.set $${vector}`)}
      ${whereIs(OPEN_BRACE)} local.get $strings ${NOT} i64.and local.set $opening
      ${whereIs(CLOSE_BRACE)} local.get $strings ${NOT} i64.and local.set $closing
      ;; Where fewer brackets close than are open, the value does not end here. Else they are looked at one by one.
      local.get $depth local.get $closing i64.popcnt i32.wrap_i64 i32.gt_s if
        local.get $depth local.get $opening i64.popcnt i32.wrap_i64 i32.add
        local.get $closing i64.popcnt i32.wrap_i64 i32.sub local.set $depth
      else
        local.get $opening local.get $closing i64.or local.set $bits
        block loop
          local.get $bits i64.eqz br_if 1
          local.get $bits i64.ctz local.set $place
          local.get $closing local.get $place i64.shr_u i32.wrap_i64 i32.const 1 i32.and if
            local.get $depth i32.const 1 i32.sub local.tee $depth i32.eqz if
              ;; Only what stands before the end counts.
              local.get $stray i64.const 1 local.get $place i64.shl i64.const 1 i64.sub i64.and i64.eqz if
                local.get $at local.get $place i32.wrap_i64 i32.add i32.const 1 i32.add return
              end
              i32.const ${STRAY} return
            end
          else
            local.get $depth i32.const 1 i32.add local.set $depth
          end
          local.get $bits local.get $bits i64.const 1 i64.sub i64.and local.set $bits
          br 0
        end end
      end
      local.get $stray i64.eqz i32.eqz if i32.const ${STRAY} return end
    end
    local.get $at i32.const ${SCANNED_BLOCK_BYTES} i32.add local.set $at
    br 0
  end end
  i32.const 0 local.get $depth i32.store 0
  i32.const 0 local.get $inString i32.wrap_i64 i32.store 4
  i32.const 0 local.get $escaped i32.wrap_i64 i32.store 8
  i32.const -1`

const CODE: WasmFunction = {
  name: 'scan',
  params: ['end', 'depth', 'isInString', 'isEscaped'],
  locals: {
    i32: ['at'],
    i64: ['quotes', 'backslashes', 'escaped', 'strings', 'inString', 'opening', 'closing', 'stray', 'bits', 'place'],
    v128: [...VECTORS, 'wanted'],
  },
  body: BODY,
}

/** Makes the scan of WebAssembly; undefined: this machine can't run it. */
function byVectors(): ScanWindow | undefined {
  let scan: (end: number, depth: number, isInString: number, isEscaped: number) => number
  let memory: WebAssembly.Memory
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assembleWasm(CODE)))
    scan = exports['scan'] as typeof scan
    memory = exports['memory'] as WebAssembly.Memory
  } catch {
    return undefined
  }
  const input = new Uint8Array(memory.buffer, INPUT)
  const results = new Int32Array(memory.buffer, 0, 3)
  return (window, nesting) => {
    const { length } = window
    input.set(window)
    if (length % SCANNED_BLOCK_BYTES !== 0) input.fill(SPACE, length, length + SCANNED_BLOCK_BYTES)
    const { depth, isInString, isEscaped } = nesting
    const end = scan(length, depth, isInString ? 1 : 0, isEscaped ? 1 : 0)
    if (end !== -1) return end
    nesting.depth = results[0] ?? 0
    nesting.isInString = results[1] !== 0
    nesting.isEscaped = results[2] !== 0
    return -1
  }
}
