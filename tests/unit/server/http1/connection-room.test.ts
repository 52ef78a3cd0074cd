import { expect, test } from 'bun:test'
import {
  type Closable,
  ConnectionRoom,
  type ConnectionRoomDeps,
  type Crowd,
} from '../../../../src/server/http1/connection-room.ts'

class Peer implements Closable {
  isClosed = false
  readonly isIdle: boolean
  readonly from: string
  constructor(isIdle: boolean, from = 'a') {
    this.isIdle = isIdle
    this.from = from
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

function room(openFilesMax: number | undefined, deps: Partial<ConnectionRoomDeps> = {}) {
  const told: Crowd[] = []
  const made = new ConnectionRoom<Peer>({
    now: () => 0,
    openFilesMax: () => openFilesMax,
    onCrowded: (crowd) => told.push(crowd),
    ...deps,
  })
  return {
    admit: (peer: Peer, peers: Set<Peer>) => made.admit(peer, peers),
    leave: (peer: Peer) => made.leave(peer),
    told,
  }
}

/** Peers that come one after the other; those that are closed for others leave. */
function come(made: ReturnType<typeof room>, peers: Set<Peer>, ...newcomers: Peer[]): boolean[] {
  return newcomers.map((newcomer) => {
    peers.add(newcomer)
    const mayStay = made.admit(newcomer, peers)
    for (const peer of [...peers].filter((one) => one.isClosed || (one === newcomer && !mayStay))) {
      peers.delete(peer)
      made.leave(peer)
    }
    return mayStay
  })
}

const some = (count: number, isIdle: boolean, from: string): Peer[] =>
  Array.from({ length: count }, () => new Peer(isIdle, from))
const held = (peers: Set<Peer>, from: string): number => [...peers].filter((peer) => peer.from === from).length

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

test('a number that was asked for is kept, however few, and whoever is at work: an idle one goes, or the newcomer', () => {
  const made = room(undefined, { connectionsMax: 3 })
  const peers = new Set<Peer>()
  come(made, peers, ...some(2, false, 'a'), new Peer(true), new Peer(false))
  expect([...peers].map(({ isIdle }) => isIdle)).toEqual([false, false, false])
  expect(come(made, peers, new Peer(true, 'b'))).toEqual([false])
  expect(made.told.at(-1)).toEqual({ connections: 4, connections_max: 3 })
})

test('an address with more than its share makes room for itself by its own connections, and for others too', () => {
  const made = room(undefined, { connectionsMax: 20, sharePercent: 50 })
  const peers = new Set<Peer>()
  come(made, peers, ...some(4, true, 'b'), ...some(60, true, 'a'))
  expect([held(peers, 'a'), held(peers, 'b')]).toEqual([16, 4])
  come(made, peers, ...some(6, true, 'c'))
  expect([held(peers, 'a'), held(peers, 'b'), held(peers, 'c')]).toEqual([10, 4, 6])
})

test('an address with more than its share that is at work everywhere gets nothing more, and others do', () => {
  const made = room(1_000, { connectionsMax: 0, sharePercent: 50, openFilesMax: () => 64 })
  const peers = new Set<Peer>()
  come(made, peers, ...some(2, false, 'b'), ...some(60, false, 'a'))
  expect(held(peers, 'a')).toBe(34)
  expect(come(made, peers, new Peer(false, 'b'))).toEqual([true])
})

test('where all come from one address, as behind a proxy, there is no share', () => {
  const made = room(undefined, { connectionsMax: 20, sharePercent: 50 })
  const peers = new Set<Peer>()
  expect(come(made, peers, ...some(60, true, 'a')).every((mayStay) => mayStay)).toBe(true)
  expect(peers.size).toBe(20)
})
