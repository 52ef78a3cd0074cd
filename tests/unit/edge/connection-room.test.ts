import { expect, test } from 'bun:test'
import { type Closable, type Crowd, createConnectionRoom } from '../../../src/edge/http1/connection-room.ts'

class Peer implements Closable {
  isClosed = false
  readonly isIdle: boolean
  constructor(isIdle: boolean) {
    this.isIdle = isIdle
  }
  closeIfIdle(): void {
    if (this.isIdle) this.isClosed = true
  }
}

function crowdOf(busy: number, idle: number): Set<Peer> {
  return new Set([
    ...Array.from({ length: busy }, () => new Peer(false)),
    ...Array.from({ length: idle }, () => new Peer(true)),
  ])
}

function room(openFilesMax: number | undefined) {
  const told: Crowd[] = []
  const admit = createConnectionRoom({
    now: () => 0,
    openFilesMax: () => openFilesMax,
    onCrowded: (crowd) => told.push(crowd),
  })
  return { admit, told }
}

function arrive(peers: Set<Peer>): Peer {
  const newcomer = new Peer(true)
  peers.add(newcomer)
  return newcomer
}

test('as long as there is room, or nobody knows the limit, every connection stays', () => {
  for (const max of [1_000, undefined]) {
    const { admit, told } = room(max)
    const peers = crowdOf(10, 400)
    expect(admit(arrive(peers), peers)).toBe(true)
    expect([...peers].some(({ isClosed }) => isClosed)).toBe(false)
    expect(told).toEqual([])
  }
})

test('near the limit the one that has been idle the longest is closed for a newcomer, never one at work', () => {
  const { admit, told } = room(64)
  const peers = crowdOf(10, 30)
  expect(admit(arrive(peers), peers)).toBe(true)
  expect([...peers].map(({ isClosed }) => isClosed).indexOf(true)).toBe(10)
  expect([...peers].filter(({ isClosed }) => isClosed)).toHaveLength(1)
  expect(told).toEqual([{ connections: 41, open_files_max: 64 }])
})

test('where all are at work a newcomer stays until the last few files', () => {
  const { admit } = room(64)
  const some = crowdOf(38, 0)
  expect(admit(arrive(some), some)).toBe(true)
  const many = crowdOf(41, 0)
  expect(admit(arrive(many), many)).toBe(false)
})
