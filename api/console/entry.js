// SPDX-License-Identifier: Apache-2.0
// Log entries: canonical JSON, read strictly (docs/LEDGER.md, "Entry").
import { fromBase64url, fromHex } from './bytes.js'

const ALWAYS = ['act', 'iat', 'iss', 'mem', 'n', 'v']
const ERASURE = ['classes', 'commit', 'model', 'scope']
const MEMBERS = {
  init: ['digest', 'model'],
  start: ['model'],
  model: ['model'],
  restore: ['model'],
  enroll: ['class'],
  erase: ERASURE,
  not_held: ERASURE,
  restrict: ['commit'],
  unrestrict: ['commit'],
  audit: ['found', 'ok'],
  rotate: ['key', 'new', 'old'],
}
const WITH_RECEIPT = ['erase', 'not_held', 'restrict', 'unrestrict']

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.keys(value).sort()
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`
}

const isCount = (value) => Number.isSafeInteger(value) && value >= 0
const isPair = (value, is) => Array.isArray(value) && value.length === 2 && value.every(is)
const isText = (value) => typeof value === 'string' && value !== ''

function isHash(value) {
  return typeof value === 'string' && value.length === 64 && fromHex(value).length === 32
}

const isClasses = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(
    ([name, n]) => ['exact', 'trained'].includes(name) && isCount(n) && n > 0,
  )

const IS = {
  act: (value) => typeof value === 'string' && Object.hasOwn(MEMBERS, value),
  iat: isCount,
  iss: isText,
  mem: (value) => isPair(value, isHash),
  n: (value) => isPair(value, isCount),
  v: (value) => value === 1,
  class: (value) => ['exact', 'trained'].includes(value),
  classes: isClasses,
  commit: (value) => isText(value) && fromBase64url(value).length === 32,
  digest: (value) => value === 'LtHash16-1024-SHAKE256',
  found: isHash,
  key: (value) => ['log', 'receipt'].includes(value),
  model: (value) => isText(value) && value.startsWith('sha256:') && isHash(value.slice(7)),
  new: isText,
  ok: (value) => typeof value === 'boolean',
  old: isText,
  scope: (value) => value === 'memory',
}

export function parseEntry(text) {
  const entry = JSON.parse(text)
  // One canonical form: members given twice, spaces and other spellings show here.
  if (canonical(entry) !== text || !/^[\x20-\x7e]+$/.test(text) || text.length > 65535)
    throw new Error('a log entry that is not in canonical form')
  const names = [...ALWAYS, ...(IS.act(entry.act) ? MEMBERS[entry.act] : [])].sort()
  if (Object.keys(entry).join() !== names.join() || !names.every((name) => IS[name](entry[name])))
    throw new Error('not a log entry of version 1')
  return entry
}

export const hasReceipt = (entry) => WITH_RECEIPT.includes(entry.act)

export const erasedIn = (entry) =>
  Object.values(entry.classes ?? {}).reduce((sum, n) => sum + n, 0)

// Whether the entry changes what its act may change.
export function addsUp(entry) {
  const [before, after] = entry.n
  const unchanged = before === after && entry.mem[0] === entry.mem[1]
  if (entry.act === 'restore') return true
  if (entry.act === 'enroll') return after > before
  if (entry.act === 'erase') return erasedIn(entry) > 0 && before - after === erasedIn(entry)
  return unchanged && erasedIn(entry) === 0 && (entry.act !== 'init' || before === 0)
}

// Whether the entry begins where the one before it ends, in the same log, and not earlier.
export const follows = (before, entry) =>
  entry.mem[0] === before.mem[1] &&
  entry.n[0] === before.n[1] &&
  entry.iat >= before.iat &&
  entry.iss === before.iss
