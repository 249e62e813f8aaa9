// SPDX-License-Identifier: Apache-2.0
// What people hold after an erasure, in whatever pieces it came: replies, lines of replies, or
// receipt, opening and proof apart; and the keys that they kept.
const JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/
const VKEY = /^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/

function parsed(json) {
  try {
    const value = JSON.parse(json)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}

const isOpening = (value) =>
  ['subject', 'request', 'salt'].every((name) => typeof value?.[name] === 'string')

function claimOf(value) {
  const proof = value.log?.proof ?? value.proof
  return {
    receipt: value.receipt,
    opening: isOpening(value.opening) ? value.opening : undefined,
    proof: typeof proof === 'string' ? proof : undefined,
    reply: value,
  }
}

// One JSON value, or null: what it is goes into `found`.
function sortJson(value, found) {
  if (typeof value?.receipt === 'string') found.claims.push(claimOf(value))
  else if (Array.isArray(value?.keys)) found.jwks = value
  else if (isOpening(value)) found.openings.push(value)
  else return false
  return true
}

function sortPiece(piece, found) {
  const text = piece.replaceAll('\r\n', '\n').trim()
  const lines = text.split('\n')
  const whole = parsed(text)
  if (whole) return sortJson(whole, found)
  if (JWS.test(text)) found.claims.push({ receipt: text })
  else if (text.startsWith('c2sp.org/tlog-proof@')) found.proofs.push(`${text}\n`)
  else if (lines.every((line) => VKEY.test(line))) found.vkeys.push(...lines)
  else return lines.map((line) => sortJson(parsed(line), found)).includes(true)
  return true
}

// { claims: [{ receipt, opening, proof, reply }], jwks, vkeys, openings, proofs, unknown }; an
// opening and a proof that came alone go to a receipt that came alone.
export function sortPieces(pieces) {
  const found = { claims: [], openings: [], proofs: [], vkeys: [], jwks: undefined, unknown: 0 }
  for (const piece of pieces) if (!sortPiece(piece, found)) found.unknown++
  if (found.claims.length === 1) {
    const [claim] = found.claims
    claim.opening ??= found.openings[0]
    claim.proof ??= found.proofs[0]
  }
  return found
}
