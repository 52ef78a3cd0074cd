import type { WasmFunction } from './assemble-wasm.ts'
import { STRAY } from './nesting.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** Makes a brace of a bracket, and leaves a brace as it is. */
const BRACE_BIT = 0x20

/** Bytes are scanned in blocks: a number of 64 bits has one bit for each byte. */
export const SCANNED_BLOCK_BYTES = 64
/** The most bytes that are scanned at once. */
export const SCANNED_BYTES_MAX = 8 * 1024

// Places in the memory. Its first 16 bytes are the results: depth, whether in a string, whether escaped, the number of colons.
/** The groups of the bytes that JSON has outside of strings, by their lower four bits; behind it, the group by their upper ones. */
export const GROUPS = 16
/** The ends of the names of ids, and where they are compared. */
export const NAME_ENDS = 64
/** Where a window stands in the memory. */
export const INPUT = 256
/** Where the places of the colons stand that are found. */
export const COLONS = INPUT + SCANNED_BYTES_MAX + SCANNED_BLOCK_BYTES

/**
 * The last eight bytes of the names of ids, but for those that end with `id` or `ids`. More names may end so: whoever looks for ids decides.
 */
export const ID_NAME_ENDS = ['ontainer', 'ersation', 'ing_file', 'ion_file', 'lt_files', 'ed_model']
const ID_END = 0x6469
const IDS_END = 0x7364
/** The bytes before a colon that are searched for the backslash of a name with an escape. */
const NEAR_BYTES = 16

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
/** Leaves a number with a bit for each byte of the block that JSON does not have outside of strings. */
const WHERE_NOT_JSON = `
  i32.const ${GROUPS} v128.load 0 local.set $byLower
  i32.const ${GROUPS} v128.load 16 local.set $byUpper
  i32.const 15 i8x16.splat local.set $wanted
  ${eachVector(
    (vector, at) => `
      local.get $byLower local.get $${vector} local.get $wanted v128.and i8x16.swizzle
      local.get $byUpper local.get $${vector} i32.const 4 i8x16.shr_u i8x16.swizzle
      v128.and i32.const 0 i8x16.splat i8x16.eq i8x16.bitmask i64.extend_i32_u
      i64.const ${at} i64.shl ${at === 0 ? '' : 'i64.or'}`,
  )}`
/** Leaves whether the name before the colon at `$name` may be that of an id. */
const MAY_BE_ID = `
  local.get $name i32.const ${NEAR_BYTES + 1} i32.lt_u
  local.get $name i32.load8_u ${INPUT - 1} i32.const ${QUOTE} i32.ne i32.or
  local.get $name i64.load ${INPUT - 9} local.set $bits
  local.get $bits i64.const 48 i64.shr_u i32.wrap_i64 local.set $lastTwo
  local.get $lastTwo i32.const ${ID_END} i32.eq i32.or
  local.get $lastTwo i32.const ${IDS_END} i32.eq i32.or
  ${ID_NAME_ENDS.map((_, index) => `local.get $bits i32.const ${NAME_ENDS} i64.load ${8 * index} i64.eq i32.or`).join('\n')}
  local.get $name v128.load ${INPUT - 1 - NEAR_BYTES} i32.const ${BACKSLASH} i8x16.splat i8x16.eq v128.any_true i32.or`

const BODY = `
  i64.const 0 local.get $isInString i64.extend_i32_u i64.sub local.set $inString
  local.get $isEscaped i64.extend_i32_u local.set $escaped
  block loop
    local.get $at local.get $end i32.ge_u br_if 1
    ${eachVector((vector, at) => `local.get $at v128.load ${INPUT + at} local.set $${vector}`)}
    ${whereIs(QUOTE)} local.set $quotes
    ${whereIs(BACKSLASH)} local.set $backslashes

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
      ${WHERE_NOT_JSON} local.get $strings ${NOT} i64.and local.set $stray
      local.get $wantsIds if
        ${whereIs(COLON)} local.get $strings ${NOT} i64.and local.set $colons
        block loop
          local.get $colons i64.eqz br_if 1
          local.get $at local.get $colons i64.ctz i32.wrap_i64 i32.add local.set $name
          ${MAY_BE_ID} if
            local.get $colonsAt local.get $name i32.store ${COLONS}
            local.get $colonsAt i32.const 4 i32.add local.set $colonsAt
            i32.const 0 local.get $colonsAt i32.store 12
          end
          local.get $colons local.get $colons i64.const 1 i64.sub i64.and local.set $colons
          br 0
        end end
      end
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

/**
 * The function of WebAssembly that scans a window of a nested value: 64 bytes at a time, as `scanNesting` says.
 *
 * @example
 * const module = new WebAssembly.Module(assembleWasm(NESTING_SCAN))
 */
export const NESTING_SCAN: WasmFunction = {
  name: 'scan',
  params: ['end', 'depth', 'isInString', 'isEscaped', 'wantsIds'],
  locals: {
    i32: ['at', 'name', 'lastTwo', 'colonsAt'],
    i64: [
      'quotes',
      'backslashes',
      'escaped',
      'strings',
      'inString',
      'opening',
      'closing',
      'stray',
      'bits',
      'place',
      'colons',
    ],
    v128: [...VECTORS, 'wanted', 'byLower', 'byUpper'],
  },
  body: BODY,
}
