// SPDX-License-Identifier: Apache-2.0
// For operators with a token: what is held, what is due, how long things take.  From GET /stats,
// every ten seconds while the page is seen.
import { get, hasToken, setToken } from './api.js'
import { histogram, makeChart, timeBars } from './charts.js'
import { by, count, counted, dayOf, el, localTime, note, percent, seconds, size, span, svg, table, terms, time } from './dom.js'
import { erasureBars } from './service.js'

const EVERY = 10000 // ms
const DAY = 86400
const PAST = 30 * DAY // of the erasures beside what is due
const SOON = 7 * DAY

const charts = {
  due: makeChart('Erasures and what is due', 'answered in the last 30 days; diamonds: held requests, when they are due'),
  latency: makeChart('Latency', 'from the last byte of a request to its reply, since the start', by('route-row')),
  batch: makeChart('Batches', 'images in a request for predictions, since the start'),
}

let log
let stats = null
let route = 'POST /predict' // whose latency is shown
let later // a timer

const unix = (rfc3339) => Date.parse(rfc3339) / 1000

// ---- what is held

// Parts of a whole, side by side in a line as long as `share` of the widest.
function bar(parts, whole) {
  const line = svg('svg', { class: 'bar-line', width: '100%', height: 12, 'aria-hidden': 'true' })
  let at = 0
  for (const [name, value] of parts) {
    const width = whole > 0 ? (100 * value) / whole : 0
    line.append(svg('rect', { x: `${at}%`, width: `${width}%`, height: 12, class: name }))
    at += width
  }
  return line
}

const legend = (...names) =>
  el('p', { class: 'legend' }, names.map(([name, words]) =>
    el('span', {}, svg('svg', { width: 12, height: 12, 'aria-hidden': 'true' }, svg('rect', { width: 12, height: 12, rx: 2, class: name })), words)))

function showHeld({ total, exact, trained, masked, labels, labels_total }) {
  const widest = Math.max(1, ...labels.map((one) => one.exact + one.trained))
  by('held').replaceChildren(
    legend(['exact', 'exact: enrolled after training'], ['trained', 'trained: the weights have seen them']),
    bar([['exact', exact], ['trained', trained]], total),
    terms([
      ['Instances', count(total)],
      ['Exact', `${count(exact)}${total > 0 ? ` (${percent(exact / total)})` : ''}`],
      ['Trained', count(trained)],
      ['Masked', `${count(masked)}: of people whose data are restricted`],
    ]),
    table(
      labels_total > labels.length ? `The ${labels.length} largest of ${count(labels_total)} labels` : 'By label',
      ['Label', 'Exact', 'Trained', 'Share'],
      labels.map((one) => [one.label ?? `label ${one.index}`, count(one.exact), count(one.trained),
        bar([['exact', one.exact], ['trained', one.trained]], widest)]),
    ),
  )
}

// ---- erasures

const REGULATIONS = { gdpr: 'GDPR', uk_gdpr: 'UK GDPR', ccpa: 'CCPA', vcdpa: 'VCDPA', lgpd: 'LGPD' }
const nameOfLaw = (one) => REGULATIONS[one.regulation] ?? one.regulation

function due(at, now) {
  const left = at - now
  if (left < 0) return el('strong', { class: 'bad' }, `overdue by ${span(-left)}`)
  return left < SOON ? el('strong', { class: 'warn' }, `in ${span(left)}`) : `in ${span(left)}`
}

function showErasures({ erased, not_held, refused, failed, held, held_total }, now) {
  const rows = held.map((one) => [
    time(unix(one.due), dayOf), due(unix(one.due), now), nameOfLaw(one), time(unix(one.received), dayOf),
  ])
  by('erasures').replaceChildren(
    terms([
      ['Erased', count(erased)],
      ['Nothing was held', count(not_held)],
      ['Refused', count(refused)],
      ['Failed', failed > 0 ? el('strong', { class: 'bad' }, count(failed)) : '0'],
    ]),
    el('p', { class: 'soft' }, 'Answers since the start.'),
    held_total === 0
      ? note('good', 'No request waits for a hold to be lifted.')
      : table(`${counted(held_total, 'held request')}: send them again when the hold is lifted`, ['Due', 'Left', 'Under', 'Received'], rows),
  )
}

function drawDue({ held }, now) {
  const entries = log.head()?.entries ?? []
  const marks = held.map((one) => ({
    at: unix(one.due), words: `due ${localTime(unix(one.due))}, ${nameOfLaw(one)}`,
  }))
  const latest = Math.max(now, ...marks.map((mark) => mark.at))
  const earliest = Math.max(now - PAST, Math.min(now - 60, entries[0]?.iat ?? now))
  const bars = erasureBars(entries, Math.min(earliest, ...marks.map((mark) => mark.at)), latest)
  const next = held.length > 0 ? `, the first of them due ${dayOf(unix(held[0].due))}` : ''
  charts.due.draw(timeBars({
    ...bars, marks, to: Math.max(bars.to, latest + (latest - earliest) * 0.03),
    sentence: `${counted(bars.bars.reduce((sum, one) => sum + one.value, 0), 'request')} answered; ${counted(marks.length, 'request')} held${next}.`,
  }))
}

// ---- time

// Counts up to each bound as bars between bounds: [{ name, value, words }].
function barsOf({ buckets, count: total }, write) {
  let before = 0
  const bars = buckets.map(({ le, count: upTo }) => {
    const bar = { name: write(le), value: upTo - before, le }
    before = upTo
    return bar
  })
  bars.push({ name: `>${write(buckets.at(-1).le)}`, value: total - before, le: Infinity })
  const used = bars.map((bar) => bar.value > 0)
  const shown = bars.slice(Math.max(0, used.indexOf(true) - 1), used.lastIndexOf(true) + 2)
  for (const one of shown) one.words = `${one.le === Infinity ? one.name : `up to ${one.name}`}: ${count(one.value)}`
  return shown
}

// The least bound under which that share of all lies.
function quantile({ buckets, count: total }, share, write) {
  const bound = buckets.find((one) => one.count >= share * total)
  return bound ? `at most ${write(bound.le)}` : `more than ${write(buckets.at(-1).le)}`
}

const nameOf = (one) => `${one.method} ${one.route}`

function drawLatency(durations) {
  const names = durations.map(nameOf)
  if (!names.includes(route)) route = names[0]
  by('route').replaceChildren(...names.map((name) => el('option', { value: name, selected: name === route }, name)))
  const one = durations.find((duration) => nameOf(duration) === route)
  if (!one) return
  charts.latency.draw(histogram({
    bars: barsOf(one, seconds), columns: ['Up to', 'Requests'],
    sentence: `${route}: ${counted(one.count, 'request')}; half took ${quantile(one, 0.5, seconds)}, 99 % ${quantile(one, 0.99, seconds)}.`,
  }))
}

function drawBatch(batch) {
  charts.batch.draw(histogram({
    bars: batch.count > 0 ? barsOf(batch, count) : [{ name: '1', value: 0, words: 'none' }], columns: ['Up to', 'Requests'],
    sentence: batch.count > 0
      ? `${counted(batch.count, 'request')} with ${counted(Math.round(batch.sum), 'image')}; half had ${quantile(batch, 0.5, count)}.`
      : 'No prediction was asked for yet.',
  }))
}

function showQueues(queues) {
  const most = Math.max(1, ...queues.map((one) => one.waiting + one.running))
  by('queues').replaceChildren(
    legend(['exact', 'running'], ['waiting', 'waiting']),
    table('Requests at this moment, by lane; this page’s own among them', ['Lane', 'Running', 'Waiting', 'Together'], queues.map((one) => [
      one.lane, count(one.running), count(one.waiting), bar([['exact', one.running], ['waiting', one.waiting]], most),
    ])),
  )
}

const total = ({ codes }) => Object.values(codes).reduce((sum, n) => sum + n, 0)

function showRequests(requests) {
  const rows = [...requests].sort((a, b) => total(b) - total(a))
  by('requests').replaceChildren(table('Replies since the start, by status', ['Route', 'Replies', 'By status'],
    rows.map((one) => [nameOf(one), count(total(one)), Object.entries(one.codes).map(([code, n]) => `${code}: ${count(n)}`).join(', ')])))
}

// ---- health

function tile(name, value, words, kind = '') {
  return el('div', { class: kind }, el('dt', {}, name), el('dd', {}, value), el('dd', { class: 'soft' }, words))
}

function showHealth({ process, log: head, started, instances, queues }) {
  const waiting = queues.reduce((sum, one) => sum + one.waiting, 0)
  by('health').replaceChildren(
    tile('Up for', span(process.uptime_seconds), `since ${localTime(unix(started))}`),
    tile('Memory', size(process.resident_bytes), process.memory_locked ? 'keys are locked into RAM' : 'keys could reach the swap', process.memory_locked ? '' : 'warn'),
    tile('Held', count(instances.total), instances.masked > 0 ? `${count(instances.masked)} masked` : 'instances'),
    tile('Log', count(head.size), `signed ${span(head.checkpoint_age_seconds)} ago`),
    tile('Waiting', count(waiting), waiting === 1 ? 'request' : 'requests'),
  )
}

function show(fresh) {
  const now = unix(fresh.time)
  stats = fresh
  showHealth(fresh)
  showHeld(fresh.instances)
  showErasures(fresh.erasures, now)
  drawDue(fresh.erasures, now)
  drawLatency(fresh.durations)
  drawBatch(fresh.batch)
  showQueues(fresh.queues)
  showRequests(fresh.requests)
  by('as-of').replaceChildren('As of ', time(now))
}

// ---- the token

const REFUSED = {
  401: 'The server does not know this token, or it has ended. Nothing is kept of it.',
  403: 'This token may not see the figures: that takes the scope audit. With the scope predict a prediction can be tried below.',
}

function showPanels({ open, figures }) {
  by('token-form').hidden = open
  by('token-held').hidden = !open
  by('figures-panel').hidden = !figures
  by('predict-panel').hidden = !open
}

// What a token had made visible.
function clear() {
  stats = null
  for (const id of ['health', 'held', 'erasures', 'queues', 'requests', 'route', 'as-of']) by(id).replaceChildren()
  for (const chart of Object.values(charts)) chart.clear()
}

export function forget() {
  clearTimeout(later)
  setToken(null)
  clear()
  showPanels({ open: false, figures: false })
}

async function refresh() {
  clearTimeout(later)
  try {
    const fresh = await get('/stats')
    await log.read().catch(() => undefined) // the charts of the log have said why
    if (!hasToken()) return // forgotten in the meantime
    by('token-said').replaceChildren()
    showPanels({ open: true, figures: true }) // first: a chart is drawn at its width
    show(fresh)
  } catch (error) {
    if (!hasToken()) return
    if (error.status === 401) forget()
    else showPanels({ open: true, figures: stats !== null })
    by('token-said').replaceChildren(note('bad', REFUSED[error.status] ?? `${error.message}.`))
  }
  if (hasToken() && by('keep-fresh').checked) later = setTimeout(tick, EVERY)
}

const tick = () => (document.hidden ? (later = setTimeout(tick, EVERY)) : refresh())

export function startOperator(openedLog, onchange) {
  log = openedLog
  by('due-chart').append(charts.due.figure)
  by('time-charts').append(charts.latency.figure, charts.batch.figure)
  by('token-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const token = by('token').value.trim()
    by('token').value = ''
    if (token === '') return
    setToken(token)
    await refresh()
    by(hasToken() ? 'forget' : 'token').focus()
    onchange()
  })
  by('forget').addEventListener('click', () => {
    forget()
    by('token-said').replaceChildren(note('good', 'The token is forgotten, and what it showed is gone from this page.'))
    by('token').focus()
    onchange()
  })
  by('refresh').addEventListener('click', refresh)
  by('keep-fresh').addEventListener('change', refresh)
  by('route').addEventListener('change', () => {
    route = by('route').value
    if (stats) drawLatency(stats.durations)
  })
}
