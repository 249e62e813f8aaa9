// SPDX-License-Identifier: Apache-2.0
// The console's own checks, in Node: against the worked example, RFC 8032 and Node's crypto.
//
//     node tests/console/verify.mjs          from the project's folder; writes TAP
import { createHash, generateKeyPairSync, sign, verify as nodeVerify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { base64, base64url, concat, fromBase64, fromBase64url, fromHex, hex, u16be, utf8 } from '../../api/console/bytes.js'
import { sortPieces } from '../../api/console/claim.js'
import { decode, verify as fallback } from '../../api/console/ed25519.js'
import { addsUp, follows, parseEntry } from '../../api/console/entry.js'
import { openLog, splitEntries, tilePath } from '../../api/console/log.js'
import { sha256 } from '../../api/console/hashes.js'
import { isIncluded, leafHash, rootOf } from '../../api/console/merkle.js'
import { parseCheckpoint, parseProof, parseVkey, signersOf } from '../../api/console/note.js'
import { ed25519 } from '../../api/console/signature.js'
import { commitmentOf, verifyReceipt } from '../../api/console/verify.js'

let tests = 0
let failures = 0

async function check(name, run) {
  let why = ''
  try {
    const result = await run()
    if (result !== true) why = `returned ${JSON.stringify(result)}`
  } catch (error) {
    why = error.stack
  }
  tests++
  failures += why ? 1 : 0
  console.log(`${why ? 'not ok' : 'ok'} ${tests} - ${name}`)
  if (why) console.log(why.replace(/^/gm, '# '))
}

async function throws(run) {
  try {
    await run()
  } catch {
    return true
  }
  return false
}

// ---- Ed25519

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const little = (number) =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 255n))
const big = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`)

// RFC 8032, 7.1: TEST 1, 2, 3 and TEST SHA(abc): key, message, signature.
const RFC_8032 = [
  ['d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'],
  ['3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'],
  ['fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', 'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'],
  ['ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704'],
].map((row) => row.map(fromHex))

const builtIn = await ed25519()
for (const [name, verify] of [['the fallback', fallback], ['WebCrypto', builtIn.verify]]) {
  for (const [i, [key, message, signature]] of RFC_8032.entries()) {
    await check(`${name} accepts vector ${i + 1} of RFC 8032`, () => verify(key, message, signature))
    await check(`${name} refuses it over another message`, async () =>
      !(await verify(key, concat(message, Uint8Array.of(0)), signature)))
  }
  await check(`${name} refuses S + L, a second spelling of a signature`, async () => {
    const [key, message, signature] = RFC_8032[1]
    const s = little(big(signature.subarray(32)) + ORDER)
    return !(await verify(key, message, concat(signature.subarray(0, 32), s)))
  })
}
await check('Node has Ed25519 in WebCrypto, so that both were compared', () => builtIn.name === 'webcrypto')

await check('the fallback agrees with Node on 40 random keys, and on every bit of a signature', async () => {
  for (let i = 0; i < 40; i++) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const key = fromBase64url(publicKey.export({ format: 'jwk' }).x)
    const message = Uint8Array.from({ length: i }, (_, j) => i * j)
    const signature = Uint8Array.from(sign(null, message, privateKey))
    if (!(await fallback(key, message, signature))) return `good signature ${i}`
    signature[i + (i % 2) * 20] ^= 1 << i % 8
    const expected = nodeVerify(null, message, publicKey, signature)
    if ((await fallback(key, message, signature)) !== expected) return `changed signature ${i}`
  }
  return true
})

// The eight points of small order, and spellings of y that are not below p.
const SMALL = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]
const NOT_CANONICAL = [
  '0100000000000000000000000000000000000000000000000000000000000080', // x is 0, its sign set
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p + 1
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p + 3
]
// With S = 0 and a key of small order, [S]B = R + [k]A holds for many messages.
await check('the fallback refuses keys and R of small order', async () => {
  for (const a of SMALL)
    for (const r of SMALL)
      for (let m = 0; m < 4; m++)
        if (await fallback(fromHex(a), Uint8Array.of(m), concat(fromHex(r), new Uint8Array(32))))
          return `${a} ${r}`
  return true
})
await check('the fallback refuses points that are spelt otherwise than RFC 8032 does', () =>
  NOT_CANONICAL.every((odd) => decode(fromHex(odd)) === null) && SMALL.every((small) => decode(fromHex(small)) !== null))

// Somebody who knows the scalar a of a key A = [a]B can make each side alone of small order.
const pair = generateKeyPairSync('ed25519')
const seed = fromBase64url(pair.privateKey.export({ format: 'jwk' }).d)
const A = fromBase64url(pair.publicKey.export({ format: 'jwk' }).x)
const clamped = Uint8Array.from(createHash('sha512').update(seed).digest().subarray(0, 32))
clamped[0] &= 248
clamped[31] = (clamped[31] & 127) | 64
const scalar = big(clamped)
const ONE = fromHex(SMALL[0])
await check('... a key of small order under an honest R', async () =>
  !(await fallback(ONE, utf8('anything'), concat(A, little(scalar % ORDER)))))
await check('... and an R of small order under an honest key', async () => {
  const k = big(createHash('sha512').update(concat(ONE, A, utf8('anything'))).digest())
  return !(await fallback(A, utf8('anything'), concat(ONE, little((k * scalar) % ORDER))))
})
await check('the fallback refuses other lengths', async () => {
  const [key, message, signature] = RFC_8032[1]
  return (
    !(await fallback(key.subarray(1), message, signature)) &&
    !(await fallback(key, message, signature.subarray(1))) &&
    !(await fallback(key, message, concat(signature, Uint8Array.of(0))))
  )
})

// ---- the worked example

const vectors = JSON.parse(readFileSync('tests/vectors.json', 'utf8'))
const jwks = { keys: [{ ...vectors.receipt_key.jwk, kid: vectors.receipt_key.kid }] }
const { subject, request, salt } = vectors.commitment
const claim = {
  receipt: vectors.receipt_jws,
  opening: { subject, request, salt },
  proof: vectors.tlog_proof,
}
const logAt = async (index) => ({
  before: vectors.entries[index - 1],
  entry: vectors.entries[index],
  after: vectors.entries[index + 1],
})
const trust = { jwks, vkeys: [vectors.log.vkey], logAt }

await check('the tree has the root of the example', async () =>
  hex(await rootOf(await Promise.all(vectors.entries.map((one) => leafHash(utf8(one)))))) === vectors.root)
await check('leaf hashes are those of the example', async () =>
  hex(await leafHash(utf8(vectors.entries[3]))) === vectors.leaf_hashes[3])
await check('the commitment is that of the example', async () =>
  (await commitmentOf(claim.opening)) === vectors.commitment.commit)
await check('every entry of the example is read, adds up and follows the one before', () => {
  const entries = vectors.entries.map(parseEntry)
  return entries.every((entry, i) => addsUp(entry) && (i === 0 || follows(entries[i - 1], entry)))
})
await check('so are the other acts', () =>
  vectors.more_entries_not_in_the_tree.map(parseEntry).every(addsUp))
await check('a tile of entries is taken apart', () =>
  splitEntries(fromHex(vectors.entries_000_p5_hex)).join('\n') === vectors.entries.join('\n'))
await check('a tile of entries that was cut off is refused', () =>
  throws(() => splitEntries(fromHex(vectors.entries_000_p5_hex.slice(0, -2)))))
await check('tiles have the paths of tlog-tiles', () =>
  tilePath('entries', 1234067) === '/log/tile/entries/x001/x234/067' &&
  tilePath('entries', 0, 5) === '/log/tile/entries/000.p/5' &&
  tilePath(0, 67) === '/log/tile/0/067')
await check('the checkpoint is signed by the key of the example', async () => {
  const key = await parseVkey(vectors.log.vkey)
  return (await signersOf(vectors.checkpoint, [key]))[0] === key &&
    hex(parseCheckpoint(vectors.checkpoint).root) === vectors.root
})
await check('the proof of the example leads to the root', async () => {
  const { index, path, checkpoint } = parseProof(vectors.tlog_proof)
  const leaf = fromHex(vectors.leaf_hashes[3])
  return path.map(hex).join() === vectors.inclusion_3_of_5.join() &&
    isIncluded(leaf, index, checkpoint.size, path, checkpoint.root)
})

// Trees of every size up to 70: each leaf is proved, by paths that are made here another way.
async function pathTo(index, hashes) {
  if (hashes.length === 1) return []
  const split = 2 ** Math.ceil(Math.log2(hashes.length) - 1)
  const left = hashes.slice(0, split)
  const right = hashes.slice(split)
  return index < split
    ? [...(await pathTo(index, left)), await rootOf(right)]
    : [...(await pathTo(index - split, right)), await rootOf(left)]
}
await check('every leaf of every tree up to 70 leaves is proved, and none at another place', async () => {
  const leaves = await Promise.all(Array.from({ length: 70 }, (_, i) => leafHash(Uint8Array.of(i))))
  for (let size = 1; size <= 70; size += size < 18 ? 1 : 13) {
    const tree = leaves.slice(0, size)
    const root = await rootOf(tree)
    for (let i = 0; i < size; i++) {
      const path = await pathTo(i, tree)
      if (!(await isIncluded(tree[i], i, size, path, root))) return `${i} of ${size}`
      if (size > 1 && (await isIncluded(tree[i], (i + 1) % size, size, path, root))) return `moved ${i} of ${size}`
      if (await isIncluded(tree[i], i, size, [...path, root], root)) return `longer ${i} of ${size}`
      if (size > 1 && (await isIncluded(tree[i], i, size, path.slice(1), root))) return `shorter ${i} of ${size}`
    }
  }
  return true
})

await check('no path is too short, too long or beside the tree', async () => {
  const [leaf, other] = [fromHex(vectors.leaf_hashes[0]), fromHex(vectors.leaf_hashes[1])]
  return !(await isIncluded(leaf, 0, 2, [], leaf)) && !(await isIncluded(leaf, 1, 1, [], leaf)) &&
    !(await isIncluded(leaf, 0, 1, [other], await rootOf([other, leaf])))
})
await check('an entry is not before the one that it follows, and of the same log', () => {
  const [before, entry] = vectors.entries.slice(3).map(parseEntry)
  return follows(before, entry) && !follows(before, { ...entry, iat: before.iat - 1 }) && !follows(before, { ...entry, iss: 'x' })
})
await check('a verifier key whose id or kind is another is refused', async () => {
  const [name, id, key] = vectors.log.vkey.split('+').map((part, i, all) => (i === 2 ? all.slice(2).join('+') : part))
  const kind2 = concat(Uint8Array.of(2), fromBase64(key).subarray(1))
  const id2 = hex((await sha256(concat(utf8(`${name}\n`), kind2))).slice(0, 4))
  return (await throws(() => parseVkey(`${name}+${id.replace('e', 'f')}+${key}`))) &&
    (await throws(() => parseVkey(`${name}+${id2}+${base64(kind2)}`)))
})
await check('a salt has 32 bytes, and a subject is text', async () =>
  (await throws(() => commitmentOf({ subject, request, salt: base64url(new Uint8Array(31)) }))) &&
  (await throws(() => commitmentOf({ subject: '\ud800', request, salt }))))

// ---- what somebody with keys of their own could sign

const own = { log: generateKeyPairSync('ed25519'), other: generateKeyPairSync('ed25519'), receipt: generateKeyPairSync('ed25519') }
const publicOf = ({ publicKey }) => fromBase64url(publicKey.export({ format: 'jwk' }).x)

async function vkeyOf(name, pair) {
  const typed = concat(Uint8Array.of(1), publicOf(pair))
  return `${name}+${hex((await sha256(concat(utf8(`${name}\n`), typed))).slice(0, 4))}+${base64(typed)}`
}

// signers: [name, pair]
async function noteOf(text, ...signers) {
  const lines = await Promise.all(signers.map(async ([name, pair]) => {
    const id = fromHex((await vkeyOf(name, pair)).split('+')[1])
    return `\u2014 ${name} ${base64(concat(id, Uint8Array.from(sign(null, utf8(text), pair.privateKey))))}\n`
  }))
  return `${text}\n${lines.join('')}`
}

const { x } = own.receipt.publicKey.export({ format: 'jwk' })
const kid = base64url(await sha256(utf8(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)))
const ownJwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x, kid }] }

function receiptOf(entry) {
  const signed = [`{"alg":"EdDSA","kid":"${kid}","typ":"munkeyd-receipt+jws"}`, entry].map((part) => base64url(utf8(part))).join('.')
  return `${signed}.${base64url(Uint8Array.from(sign(null, utf8(signed), own.receipt.privateKey)))}`
}

// The checks that fail for an entry that is the only one of its log.
async function failing(entry, origin, signers, vkeys) {
  const root = base64(await leafHash(utf8(entry)))
  const note = await noteOf(`${origin}\n1\n${root}\n`, ...signers)
  const proof = `c2sp.org/tlog-proof@v1\nindex 0\n\n${note}`
  const { checks } = await verifyReceipt({ receipt: receiptOf(entry), proof }, { jwks: ownJwks, vkeys })
  return checks.filter((one) => one.result === 'failed').map((one) => one.name).join()
}

const erasure = vectors.entries[3]
const iss = vectors.log.origin
const ownVkey = await vkeyOf(iss, own.log)
const otherVkey = await vkeyOf('other.example', own.other)
await check('a log of one entry holds', async () => (await failing(erasure, iss, [[iss, own.log]], [ownVkey])) === '')
await check('a checkpoint of another log does not count', async () =>
  (await failing(erasure, 'other.example', [['other.example', own.other]], [ownVkey, otherVkey])) === 'checkpoint' &&
  (await failing(erasure, 'other.example', [[iss, own.log]], [ownVkey])) === 'checkpoint')
await check('... nor does another log’s signature', async () =>
  (await failing(erasure, iss, [['other.example', own.other]], [ownVkey, otherVkey])) === 'checkpoint')
await check('a checkpoint that two keys of one name have signed is known by either', async () => {
  const both = [[iss, own.other], [iss, own.log]]
  return (await failing(erasure, iss, both, [ownVkey])) === '' && (await failing(erasure, iss, both, [await vkeyOf(iss, own.other)])) === ''
})
await check('a signed entry whose count does not fit fails in the chain', async () =>
  (await failing(erasure.replace('[5,3]', '[5,2]'), iss, [[iss, own.log]], [ownVkey])) === 'digest_chain')
await check('... and so does one of a kind that has no receipts', async () =>
  (await failing(vectors.entries[1], iss, [[iss, own.log]], [ownVkey])) === 'digest_chain')
await check('an entry beyond the end of today’s log is no leaf of it', async () => {
  const { checks } = await verifyReceipt(claim, { ...trust, logAt: async () => ({ entry: null }) })
  return checks.find((one) => one.name === 'leaf_in_log').why.includes('no entry at this place')
})

// ---- receipts

const results = (verdict) => verdict.checks.map(({ name, result }) => `${name} ${result}`).join(', ')
const with_ = (name, result) =>
  ['known_key', 'signature', 'commitment', 'leaf_in_log', 'checkpoint', 'digest_chain']
    .map((one) => `${one} ${one === name ? result : 'passed'}`)
    .join(', ')

await check('the receipt of the example passes every check', async () => {
  const verdict = await verifyReceipt(claim, trust)
  return (verdict.valid && verdict.index === 3 && results(verdict) === with_()) || results(verdict)
})
await check('without opening, proof and keys less is checked, and said', async () => {
  const verdict = await verifyReceipt({ receipt: claim.receipt }, { vkeys: [] })
  return results(verdict) ===
    'known_key skipped, signature skipped, commitment skipped, leaf_in_log skipped, checkpoint skipped, digest_chain passed'
})

const changed = (from, to) => vectors.tlog_proof.replace(from, to)
const entryAs = (change) => async (index) => {
  const present = await logAt(index)
  return { ...present, ...change(present) }
}
const moved = (text) => text.replace('"n":[3,3]', '"n":[4,4]')
const OTHER_X = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
for (const [name, change, trusted, failing] of [
  ['a forged signature', { receipt: claim.receipt.replace('.M4Jn', '.N4Jn') }, {}, 'signature'],
  ['another subject', { opening: { ...claim.opening, subject: 'somebody@else.example' } }, {}, 'commitment'],
  ['another request', { opening: { ...claim.opening, request: `${request}0` } }, {}, 'commitment'],
  ['another salt', { opening: { ...claim.opening, salt: salt.replace('Cv', 'Dv') } }, {}, 'commitment'],
  ['a subject with half a surrogate pair', { opening: { ...claim.opening, subject: '\ud800' } }, {}, 'commitment'],
  ['a proof for another index', { proof: changed('index 3', 'index 2') }, {}, 'leaf_in_log,digest_chain'],
  ['a proof with a changed hash', { proof: changed('K3My', 'L3My') }, {}, 'leaf_in_log'],
  ['a proof that is too short', { proof: changed(/K3My.*\n/, '') }, {}, 'leaf_in_log'],
  ['a proof that is too long', { proof: changed(/(K3My.*\n)/, '$1$1') }, {}, 'leaf_in_log'],
  ['a forged checkpoint', { proof: changed('FHG2E', 'FHG2F') }, {}, 'checkpoint'],
  ['a checkpoint without signatures', { proof: changed(/\u2014 .*\n/, '') }, {}, 'checkpoint'],
  ['another log’s key', {}, { vkeys: ['other+1+x'] }, 'checkpoint'],
  ['a log that has another entry there', {}, { logAt: entryAs(({ after }) => ({ entry: after })) }, 'leaf_in_log'],
  ['a log whose next entry begins elsewhere', {}, { logAt: entryAs(({ after }) => ({ after: moved(after) })) }, 'digest_chain'],
  ['a key set without the key', {}, { jwks: { keys: [] } }, 'known_key'],
  ['a key set that lies about a name', {}, { jwks: { keys: [{ ...jwks.keys[0], x: OTHER_X }] } }, 'known_key'],
])
  await check(`${name} fails, at ${failing} alone`, async () => {
    const verdict = await verifyReceipt({ ...claim, ...change }, { ...trust, ...trusted })
    const failed = verdict.checks.filter((one) => one.result === 'failed').map((one) => one.name)
    return (!verdict.valid && failed.join() === failing) || results(verdict)
  })
await check('an entry that was changed under its signature fails, and is no leaf of the log', async () => {
  const [header, , signature] = claim.receipt.split('.')
  const entry = vectors.entries[3].replace('"exact":2', '"exact":1').replace('[5,3]', '[4,3]')
  const receipt = [header, Buffer.from(entry).toString('base64url'), signature].join('.')
  const verdict = await verifyReceipt({ ...claim, receipt }, trust)
  return /signature failed.*leaf_in_log failed.*digest_chain failed/.test(results(verdict)) || results(verdict)
})
await check('other algorithms, spellings and shapes of a receipt cannot be read', async () => {
  const [header, payload, signature] = claim.receipt.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const bad = [
    '', 'a.b', `${none}.${payload}.${signature}`, `${header}.${payload}`, `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -1)}x`, `${header}=.${payload}.${signature}`,
    `${header}.${payload}.${signature}.${signature}`,
  ]
  for (const receipt of bad)
    if (!(await throws(() => verifyReceipt({ ...claim, receipt }, trust)))) return receipt
  return true
})
await check('entries in another form are refused', async () => {
  const [, enroll, , erase] = vectors.entries
  const bad = [
    ` ${erase}`, erase.replace('"n":[5,3]', '"n":[5,3.0]'), erase.replace('"v":1', '"v":1,"v":1'),
    erase.replace('"act":"erase"', '"act":"forget"'), erase.replace('"scope":"memory",', ''),
    erase.replace('"v":1', '"v":1,"w":2'), erase.replace('"exact":2', '"exact":0'),
    enroll.replace('exact', 'public'), erase.replace('"mem":["e', '"mem":["E'), '{"__proto__":1}', 'null',
  ]
  for (const entry of bad) if (!(await throws(() => parseEntry(entry)))) return entry
  return true
})
await check('base64 has one spelling', async () =>
  (await throws(() => fromBase64('AB=='))) && (await throws(() => fromBase64url('AB'))) &&
  (await throws(() => fromBase64url('AA=='))) && (await throws(() => fromBase64('AA =='))))

// ---- a log of many tiles, of which only the last are read

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const ORIGIN = 'example.org/long'
const typed = concat(Uint8Array.of(1), fromBase64url(publicKey.export({ format: 'jwk' }).x))
const keyId = (await sha256(concat(utf8(`${ORIGIN}\n`), typed))).slice(0, 4)
const longVkey = `${ORIGIN}+${hex(keyId)}+${base64(typed)}`

// Enrolments one after the other; from entry `fork` on another history.
function makeEntries(n, fork = n) {
  const mem = (i) => createHash('sha256').update(i > fork ? `other ${i}` : `${i}`).digest('hex')
  const first = `{"act":"init","digest":"LtHash16-1024-SHAKE256","iat":1,"iss":"${ORIGIN}","mem":["${mem(0)}","${mem(0)}"],` +
    `"model":"sha256:${mem(0)}","n":[0,0],"v":1}`
  return [first, ...Array.from({ length: n - 1 }, (_, i) =>
    `{"act":"enroll","class":"exact","iat":${i + 1},"iss":"${ORIGIN}","mem":["${mem(i)}","${mem(i + 1)}"],"n":[${i},${i + 1}],"v":1}`)]
}

// What a server gives of a log that has these entries.
async function serve(entries) {
  const leaves = await Promise.all(entries.map((one) => leafHash(utf8(one))))
  const roots = []
  for (let at = 0; at + 256 <= leaves.length; at += 256) roots.push(await rootOf(leaves.slice(at, at + 256)))
  const head = `${ORIGIN}\n${entries.length}\n${base64(await rootOf(leaves))}\n`
  const signature = concat(keyId, Uint8Array.from(sign(null, utf8(head), privateKey)))
  const asked = []
  const get = async (path) => {
    asked.push(path)
    if (path === '/log/vkey') return `${longVkey}\n`
    if (path === '/log/checkpoint') return `${head}\n\u2014 ${ORIGIN} ${base64(signature)}\n`
    const [, level, n, width] = /^\/log\/tile\/(entries|1)\/(\d{3})(?:\.p\/(\d+))?$/.exec(path)
    const from = Number(n) * 256
    const to = from + Number(width ?? 256)
    if (level === '1') return concat(...roots.slice(from, to))
    return concat(...entries.slice(from, to).map((one) => concat(u16be(one.length), utf8(one))))
  }
  return { get, asked }
}

const wrong = ({ checks }) => Object.keys(checks).filter((name) => checks[name].result === 'failed').join()
let served = await serve(makeEntries(1000))
const long = openLog((path) => served.get(path), 256)

await check('of a long log the last entries are read, and the root of all is compared', async () => {
  const head = await long.read()
  return (head.from === 768 && head.entries.length === 232 && wrong(head) === '' &&
    served.asked.includes('/log/tile/1/000.p/3') && !served.asked.includes('/log/tile/entries/000')) || wrong(head)
})
await check('an entry further back is fetched with its neighbours', async () => {
  const { before, entry, after } = await long.at(256)
  const all = makeEntries(1000)
  return before === all[255] && entry === all[256] && after === all[257]
})
await check('there is no entry behind the end', async () => (await long.at(1000)).entry === null)
await check('an entry is found by its bytes', async () => (await long.find(utf8(makeEntries(1000)[900]))) === 900)
await check('a log that grows is the same log', async () => {
  served = await serve(makeEntries(1300))
  const head = await long.read()
  return (wrong(head) === '' && head.checkpoint.size === 1300 && head.from === 1280) || wrong(head)
})
await check('all of it is read when asked', async () => {
  const head = await long.read(1300)
  return head.from === 0 && head.entries.length === 1300 && wrong(head) === ''
})
await check('a log with another past than it had is noticed', async () => {
  const young = openLog((path) => served.get(path))
  served = await serve(makeEntries(250))
  await young.read()
  served = await serve(makeEntries(1400, 100)) // a whole log in itself
  return wrong(await openLog(served.get).read()) === '' && wrong(await young.read()) === 'growth' &&
    wrong(await long.read()) === 'tree,chain' // which has some tiles of before
})
await check('a log that became shorter is noticed', async () => {
  served = await serve(makeEntries(999))
  return wrong(await long.read()) === 'growth'
})
for (const size of [1, 2, 255, 256, 257, 512, 513])
  await check(`a log of ${size} is read`, async () => {
    const small = await serve(makeEntries(size))
    const head = await openLog(small.get, 256).read()
    return (wrong(head) === '' && head.from + head.entries.length === size) || wrong(head)
  })
const readBad = async (change) => {
  const entries = makeEntries(20)
  change(entries)
  return wrong(await openLog((await serve(entries)).get).read())
}
await check('an entry of another log is noticed', async () =>
  (await readBad((entries) => entries.forEach((one, i) => { entries[i] = one.replace(ORIGIN, 'example.org/else') }))) === 'chain')
await check('an entry that does not do what it says is noticed', async () =>
  (await readBad((entries) => { entries[19] = entries[19].replace('[18,19]', '[18,18]') })) === 'chain')
await check('a tile that is shorter than was asked for is refused', async () => {
  const { get } = await serve(makeEntries(600))
  const short = async (path) => (path.includes('/1/') ? (await get(path)).slice(0, 32) : get(path))
  const cut = async (path) => (path.includes('entries') ? get('/log/tile/entries/000.p/3') : get(path))
  return (await throws(() => openLog(short, 256).read())) && (await throws(() => openLog(cut, 256).read()))
})
await check('a head that another log’s key has signed is not believed', async () => {
  const { get } = await serve(makeEntries(5))
  const text = (await get('/log/checkpoint')).split('\n').slice(0, 3).join('\n') + '\n'
  const note = await noteOf(text, ['other.example', own.other])
  const head = await openLog(async (path) => ({ '/log/checkpoint': note, '/log/vkey': otherVkey })[path] ?? get(path)).read()
  return wrong(head) === 'head'
})
await check('an entry that does not follow is noticed', async () => {
  const entries = makeEntries(20)
  entries.splice(7, 1)
  return wrong(await openLog((await serve(entries)).get).read()) === 'chain'
})

// ---- what people drop

const reply = JSON.stringify({
  status: 'erased', receipt: claim.receipt, opening: claim.opening,
  log: { origin: 'x', index: 3, proof: claim.proof },
})
await check('a reply is a claim', () => {
  const { claims } = sortPieces([reply])
  return claims.length === 1 && claims[0].proof === claim.proof && claims[0].opening.salt === salt
})
await check('lines of replies are claims, and lines without a receipt are not', () => {
  const held = JSON.stringify({ status: 'held', line: 2 })
  return sortPieces([`${reply}\n${held}\n${reply}\n`]).claims.length === 2
})
await check('receipt, opening, proof and keys may come apart', async () => {
  const pieces = [claim.receipt, JSON.stringify(claim.opening), claim.proof,
    JSON.stringify(jwks), `${vectors.log.vkey}\n`]
  const { claims, jwks: keys, vkeys } = sortPieces(pieces)
  const verdict = await verifyReceipt(claims[0], { jwks: keys, vkeys })
  return verdict.valid && results(verdict) === with_()
})
await check('what is none of them is said to be none', () => sortPieces(['hello']).unknown === 1)

console.log(`1..${tests}`)
process.exit(failures ? 1 : 0)
