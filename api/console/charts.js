// SPDX-License-Identifier: Apache-2.0
// Charts: lines and bars in SVG, redrawn at the width there is.  Each has a sentence that says the
// same, and a table of its figures.
//
//     const chart = makeChart('Instances', 'instances over time')
//     page.append(chart.figure)
//     chart.draw(steps({ points: [[unix, n]], to: unix, ... }))
import { count, el, localTime, svg, table } from './dom.js'

const HEIGHT = 190
const SIDES = { top: 12, right: 14, bottom: 26, left: 46 }

// Round numbers from 0 up to the least that covers max; whole ones, where only those make sense.
function levels(max, whole = true) {
  const rough = Math.max(max, whole ? 1 : 1e-9) / 4
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  let step = [1, 2, 2.5, 5, 10].map((one) => one * magnitude).find((one) => one >= rough)
  if (whole) step = Math.max(1, Math.ceil(step))
  const n = Math.max(1, Math.ceil(max / step))
  return Array.from({ length: n + 1 }, (_, i) => i * step)
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const short = (number) => (number < 10000 ? count(number) : compact.format(number))

const MINUTE = 60
const HOUR = 3600
const DAY = 86400
const STEPS = [1, 2, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR,
  6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 21 * DAY, 30 * DAY, 60 * DAY, 91 * DAY, 182 * DAY, 365 * DAY]

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const clockSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const year = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' })

// How a tick is written depends on how far ticks are apart.
function tickText(unix, step) {
  const form = step < MINUTE ? clockSeconds : step < DAY ? clock : step < 91 * DAY ? date : year
  return form.format(new Date(unix * 1000))
}

const offset = (unix) => new Date(unix * 1000).getTimezoneOffset() * MINUTE

// The first of the steps that cuts the time into at most n parts.
export const stepOf = (from, to, n) => STEPS.find((step) => (to - from) / step <= n) ?? STEPS.at(-1)

// The beginning of the step that a time is in, by the local clock.
export const floorTo = (unix, step) => Math.floor((unix - offset(unix)) / step) * step + offset(unix)

function timeTicks(from, to, n) {
  const step = stepOf(from, to, n)
  const ticks = []
  for (let at = floorTo(from, step) + step; at < to; at += step) ticks.push([at, tickText(at, step)])
  return ticks.length > 0 ? ticks : [[(from + to) / 2, localTime((from + to) / 2)]]
}

const line = (x1, y1, x2, y2, name) => svg('line', { x1, y1, x2, y2, class: name })
const label = (x, y, words, name) => svg('text', { x, y, class: name }, words)

function frame(width, max, sentence) {
  const marks = levels(max)
  const bottom = HEIGHT - SIDES.bottom
  const y = (value) => bottom - (value / marks.at(-1)) * (bottom - SIDES.top)
  const picture = svg('svg', {
    viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', 'aria-label': sentence,
  })
  for (const mark of marks)
    picture.append(
      line(SIDES.left, y(mark), width - SIDES.right, y(mark), mark === 0 ? 'axis' : 'grid'),
      label(SIDES.left - 8, y(mark) + 4, short(mark), 'tick end'),
    )
  return { picture, y, bottom, left: SIDES.left, right: width - SIDES.right }
}

function timeAxis({ picture, bottom, left, right }, from, to) {
  const x = (at) => left + ((at - from) / Math.max(1, to - from)) * (right - left)
  for (const [at, words] of timeTicks(from, to, Math.max(3, Math.floor((right - left) / 72))))
    picture.append(line(x(at), bottom, x(at), bottom + 4, 'axis'), label(x(at), bottom + 18, words, 'tick mid'))
  return x
}

// What the pointer is over: `find` gives { x, y, words } for a place on the chart.
function follow({ picture, bottom }, readout, find) {
  const guide = line(0, SIDES.top, 0, bottom, 'guide')
  const dot = svg('circle', { r: 4, class: 'dot' })
  const hide = () => {
    guide.setAttribute('visibility', 'hidden')
    dot.setAttribute('visibility', 'hidden')
    readout.textContent = ''
  }
  picture.append(guide, dot)
  picture.addEventListener('pointerleave', hide)
  picture.addEventListener('pointermove', (event) => {
    const box = picture.getBoundingClientRect()
    const found = find(event.clientX - box.left)
    if (!found) return hide()
    for (const end of ['x1', 'x2']) guide.setAttribute(end, found.x)
    dot.setAttribute('cx', found.x)
    dot.setAttribute('cy', found.y)
    guide.setAttribute('visibility', 'visible')
    dot.setAttribute('visibility', 'visible')
    readout.textContent = found.words
  })
  hide()
}

// The last point of each pixel is enough.
function thinned(points, x) {
  const kept = []
  for (const point of points) {
    if (kept.length > 1 && Math.round(x(kept.at(-1)[0])) === Math.round(x(point[0]))) kept.pop()
    kept.push(point)
  }
  return kept
}

// points: [unix, value], each of which holds until the next one; the last one until `to`.
export function steps({ points, to, unit, columns, sentence }) {
  const from = points[0][0]
  const end = Math.max(to, from + 1)
  const words = ([at, value]) => `${localTime(at)}: ${count(value)} ${unit}`
  return {
    sentence,
    table: [columns, points.map(([at, value]) => [localTime(at), count(value)])],
    draw(width, readout) {
      const space = frame(width, Math.max(...points.map(([, value]) => value)), sentence)
      const x = timeAxis(space, from, end)
      const shown = thinned(points, x)
      const path = shown.map(([at, value], i) => `${i === 0 ? 'M' : 'H'}${x(at)}${i === 0 ? ' ' : 'V'}${space.y(value)}`)
      const whole = `${path.join('')}H${x(end)}`
      space.picture.append(
        svg('path', { d: `${whole}V${space.bottom}H${x(from)}Z`, class: 'area' }),
        svg('path', { d: whole, class: 'line' }),
      )
      follow(space, readout, (place) => {
        const found = shown.findLast(([at]) => x(at) <= place + 1)
        return found && { x: Math.min(Math.max(place, space.left), space.right), y: space.y(found[1]), words: words(found) }
      })
      return space.picture
    },
  }
}

// bars: { from, to, value, words } on a time axis; marks: { at, words }, what is to come.
export function timeBars({ bars, marks = [], from, to, columns, rows, sentence }) {
  return {
    sentence,
    table: [columns, rows],
    draw(width, readout) {
      const space = frame(width, Math.max(1, ...bars.map((bar) => bar.value)), sentence)
      const x = timeAxis(space, from, to)
      for (const bar of bars)
        space.picture.append(svg('rect', {
          x: x(bar.from) + 0.5, y: space.y(bar.value), rx: 1.5, class: 'bar',
          width: Math.max(2, x(bar.to) - x(bar.from) - 1), height: space.bottom - space.y(bar.value),
        }))
      for (const mark of marks)
        space.picture.append(
          line(x(mark.at), SIDES.top + 6, x(mark.at), space.bottom, 'due'),
          svg('path', { d: `M${x(mark.at)} ${SIDES.top}l5 6-5 6-5-6z`, class: 'due-mark' }),
        )
      const spots = [
        ...bars.map((bar) => ({ x: (x(bar.from) + x(bar.to)) / 2, y: space.y(bar.value), words: bar.words })),
        ...marks.map((mark) => ({ x: x(mark.at), y: SIDES.top + 6, words: mark.words })),
      ]
      follow(space, readout, (place) => nearest(spots, place))
      return space.picture
    },
  }
}

const nearest = (spots, place) =>
  spots.reduce((best, spot) => (best && Math.abs(best.x - place) <= Math.abs(spot.x - place) ? best : spot), null)

// bars: { name, value, words }, side by side.
export function histogram({ bars, columns, sentence }) {
  return {
    sentence,
    table: [columns, bars.map((bar) => [bar.name, count(bar.value)])],
    draw(width, readout) {
      const space = frame(width, Math.max(1, ...bars.map((bar) => bar.value)), sentence)
      const wide = (space.right - space.left) / bars.length
      const every = Math.ceil(bars.length / ((space.right - space.left) / 58))
      const spots = bars.map((bar, i) => {
        const middle = space.left + (i + 0.5) * wide
        const top = space.y(bar.value)
        space.picture.append(svg('rect', {
          x: middle - wide / 2 + 1, y: top, width: Math.max(1, wide - 2), height: space.bottom - top, rx: 1.5, class: 'bar',
        }))
        if (i % every === 0) space.picture.append(label(middle, space.bottom + 18, bar.name, 'tick mid'))
        return { x: middle, y: top, words: bar.words }
      })
      follow(space, readout, (place) => nearest(spots, place))
      return space.picture
    },
  }
}

const ROWS = 400 // of a table; more would slow the page down, and /log has them all

function tableOf(title, [columns, rows]) {
  const last = rows.slice(-ROWS).reverse()
  const caption = rows.length > ROWS ? `${title}: the last ${ROWS} of ${count(rows.length)}` : title
  return table(caption, columns, last)
}

// control: what chooses the figures, beside the title.
export function makeChart(title, subtitle, control = null) {
  const readout = el('p', { class: 'readout', 'aria-hidden': 'true' })
  const sentence = el('p', { class: 'sentence' })
  const plot = el('div', { class: 'plot' })
  const inside = el('div')
  const details = el('details', {}, el('summary', {}, 'As a table'), inside)
  const figure = el('figure', { class: 'card' },
    el('figcaption', {}, title, subtitle ? el('small', {}, subtitle) : null), control, readout, plot, sentence, details)
  let drawn = null

  const fillTable = () => inside.replaceChildren(...(details.open && drawn ? [tableOf(title, drawn.table)] : []))
  const paint = () => {
    if (drawn && plot.clientWidth > 0) plot.replaceChildren(drawn.draw(plot.clientWidth, readout))
  }
  details.addEventListener('toggle', fillTable)
  new ResizeObserver(paint).observe(plot)
  return {
    figure,
    draw(chart) {
      drawn = chart
      sentence.textContent = chart.sentence
      paint()
      fillTable()
    },
    clear() {
      drawn = null
      for (const part of [sentence, plot, inside, readout]) part.replaceChildren()
    },
  }
}
