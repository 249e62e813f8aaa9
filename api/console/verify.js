// SPDX-License-Identifier: Apache-2.0
// Checks a receipt, its opening and its proof, each check by its name (docs/LEDGER.md).  Runs in
// browsers and in Node, and asks nobody: what it trusts is given to it.
//
//     const verdict = await verifyReceipt(
//       { receipt, opening: { subject, request, salt }, proof },
//       { jwks, vkeys: [line], logAt: async (index, origin) => ({ before, entry, after }) },
//     )
//     verdict.valid, verdict.checks[i]: { name, result: passed, failed or skipped, why }
import { base64url, concat, equal, fromBase64url, text, u16be, utf8 } from './bytes.js'
import { addsUp, follows, hasReceipt, parseEntry } from './entry.js'
import { hmacSha256, sha256 } from './hashes.js'
import { isIncluded, leafHash } from './merkle.js'
import { parseProof, parseVkey, signersOf } from './note.js'
import { ed25519 } from './signature.js'

const passed = (why) => ({ result: 'passed', why })
const failed = (why) => ({ result: 'failed', why })
const skipped = (why) => ({ result: 'skipped', why })

// The one header that munkeyd writes: other algorithms, `crit` and embedded keys cannot even be
// expressed.
const headerOf = (kid) => `{"alg":"EdDSA","kid":"${kid}","typ":"munkeyd-receipt+jws"}`

export function parseReceipt(jws) {
  const parts = jws.split('.')
  if (parts.length !== 3) throw new Error('a receipt has three parts with a dot between them')
  let bytes
  try {
    bytes = parts.map(fromBase64url)
  } catch {
    throw new Error('a part of the receipt is not base64url: it was cut or changed on the way')
  }
  const header = new TextDecoder().decode(bytes[0])
  const kid = /"kid":"([A-Za-z0-9_-]{43})"/.exec(header)?.[1]
  if (header !== headerOf(kid))
    throw new Error('this is no receipt of munkeyd: its header names another kind or algorithm')
  if (bytes[2].length !== 64) throw new Error('the receipt’s signature does not have 64 bytes')
  return { kid, payload: bytes[1], signed: utf8(`${parts[0]}.${parts[1]}`), signature: bytes[2] }
}

// A receipt's entry, or null where its payload is none.
export function entryOf(receipt) {
  try {
    return parseEntry(text(receipt.payload))
  } catch {
    return null
  }
}

// The public key of that name.  A key set is believed only as far as its names are thumbprints
// (RFC 7638; RFC 8037, 2).
async function findKey(jwks, kid) {
  const jwk = (Array.isArray(jwks?.keys) ? jwks.keys : []).find((one) => one?.kid === kid)
  if (!jwk) throw new Error('the key set holds no key that the receipt names')
  const { kty, crv, x } = jwk
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || fromBase64url(x).length !== 32)
    throw new Error('the key that the receipt names is not an Ed25519 key')
  const thumbprint = await sha256(utf8(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`))
  if (base64url(thumbprint) !== kid)
    throw new Error('the key set lies: the key is not the one that its name says')
  return fromBase64url(x)
}

async function checkKeys(receipt, jwks) {
  if (!jwks) {
    const why = 'no key set is at hand'
    return { known_key: skipped(why), signature: skipped(why) }
  }
  let key
  try {
    key = await findKey(jwks, receipt.kid)
  } catch (error) {
    return { known_key: failed(error.message), signature: skipped('not checked without the key') }
  }
  const { verify } = await ed25519()
  return {
    known_key: passed('the key set holds the key that the receipt names'),
    signature: (await verify(key, receipt.signed, receipt.signature))
      ? passed('the key that the receipt names has signed it')
      : failed('the signature does not fit: the receipt was changed or forged'),
  }
}

// The bytes of a text, behind their number; lone halves of surrogate pairs are no text.
function counted(words) {
  const bytes = utf8(words)
  if (bytes.length > 65535 || text(bytes) !== words) throw new Error('not text of at most 65,535 bytes')
  return concat(u16be(bytes.length), bytes)
}

export async function commitmentOf({ subject, request, salt }) {
  const key = fromBase64url(salt)
  if (key.length !== 32) throw new Error('the salt does not have 32 bytes')
  const message = concat(utf8('munkeyd/subject/v1\0'), counted(subject), counted(request))
  return base64url(await hmacSha256(key, message))
}

async function checkCommitment(entry, opening) {
  if (!opening) return skipped('no opening was given')
  try {
    if (entry?.commit === (await commitmentOf(opening)))
      return passed('the receipt is about this subject and this request')
  } catch {
    return failed('the opening is not a subject, a request and a salt of 32 bytes')
  }
  return failed('the receipt is not about this subject and this request')
}

async function checkLeaf(receipt, proof, present) {
  if (present?.entry === null) return failed('the log of today has no entry at this place')
  if (present?.entry !== undefined && !equal(utf8(present.entry), receipt.payload))
    return failed('another entry stands at this place of the log today')
  const { index, path, checkpoint } = proof
  const leaf = await leafHash(receipt.payload)
  return (await isIncluded(leaf, index, checkpoint.size, path, checkpoint.root))
    ? passed('the entry stands in the log whose root the checkpoint states')
    : failed('the proof does not lead from this entry to the checkpoint’s root')
}

async function checkCheckpoint(entry, { checkpoint }, vkeys) {
  if (vkeys.length === 0) return skipped('no key of the log is at hand')
  if (checkpoint.origin !== entry?.iss)
    return failed('the checkpoint is another log’s than the receipt’s')
  try {
    const keys = (await Promise.all(vkeys.map(parseVkey))).filter((key) => key.name === entry.iss)
    if ((await signersOf(checkpoint.note, keys)).length > 0)
      return passed('the log’s key has signed the checkpoint')
  } catch (error) {
    return failed(error.message)
  }
  return failed('no known key of the receipt’s log has signed the checkpoint')
}

async function checkProof(receipt, entry, file, trust) {
  if (!file) {
    const why = 'no proof was given'
    return { leaf_in_log: skipped(why), checkpoint: skipped(why) }
  }
  let proof
  try {
    proof = parseProof(file)
  } catch (error) {
    return { leaf_in_log: failed(error.message), checkpoint: failed(error.message) }
  }
  const present = await trust.logAt?.(proof.index, proof.checkpoint.origin)
  return {
    index: proof.index,
    present,
    leaf_in_log: await checkLeaf(receipt, proof, present),
    checkpoint: await checkCheckpoint(entry, proof, trust.vkeys ?? []),
  }
}

function checkChain(entry, present) {
  if (!entry || !hasReceipt(entry) || !addsUp(entry))
    return failed('the entry’s digest and count do not fit what it says was done')
  try {
    const meets =
      (!present?.before || follows(parseEntry(present.before), entry)) &&
      (!present?.after || follows(entry, parseEntry(present.after)))
    if (!meets) return failed('digest and count do not meet the neighbouring entries')
  } catch {
    return failed('a neighbouring entry of the log cannot be read')
  }
  return present?.before || present?.after
    ? passed('digest and count add up and meet the neighbouring entries')
    : passed('digest and count add up; the neighbouring entries were not at hand')
}

// Throws when the receipt cannot be read at all.
export async function verifyReceipt(claim, trust) {
  const receipt = parseReceipt(claim.receipt)
  const entry = entryOf(receipt)
  const { known_key, signature } = await checkKeys(receipt, trust.jwks)
  const commitment = await checkCommitment(entry, claim.opening)
  const { index, present, ...proof } = await checkProof(receipt, entry, claim.proof, trust)
  const results = { known_key, signature, commitment, ...proof, digest_chain: checkChain(entry, present) }
  const checks = Object.entries(results).map(([name, check]) => ({ name, ...check }))
  return { entry, index, checks, valid: checks.every((check) => check.result !== 'failed') }
}
